// A browser that is told what to do, one JSON request a line, and answers each with one line. Argument: node_modules.
// open: the file to show (width, height, dark, touch); then key, type, click, double, eval, print, shot, tap act on that page;
// cpu: the milliseconds of processor time that the page's main thread took so far, whatever else the machine does.
const fs = require('fs'), path = require('path'), readline = require('readline'), {createRequire} = require('module');
const [, , modules] = process.argv;
const {chromium} = createRequire(path.join(modules, 'package.json'))('playwright-core');
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => fs.existsSync(p));
let browser, context, tab, noise, meter;

async function open({open, width = 1280, height = 800, dark = false, touch = false}) {
  if (context) await context.close();
  context = await browser.newContext({viewport: {width, height}, colorScheme: dark ? 'dark' : 'light', hasTouch: touch});
  tab = await context.newPage();
  noise = {console: [], requests: []};
  meter = await context.newCDPSession(tab);
  await meter.send('Performance.enable', {timeDomain: 'threadTicks'});
  tab.on('console', (message) => noise.console.push(message.text()));
  tab.on('pageerror', (error) => noise.console.push(String(error.stack)));
  tab.on('request', (request) => noise.requests.push(request.url()));
  tab.on('dialog', (dialog) => { noise.console.push('dialog ' + dialog.message()); dialog.dismiss(); });
  await tab.goto(open.includes('://') ? open : 'file://' + open);
  await tab.locator('body[data-ready]').waitFor({timeout: 60000});
  return tab.evaluate(() => window.timings?.first);
}

async function answer(request) {
  if (request.open) return open(request);
  if (request.key) return tab.keyboard.press(request.key);
  if (request.type) return tab.keyboard.type(request.type);
  if (request.click) return tab.click(request.click, {timeout: 10000, modifiers: request.shift ? ['Shift'] : [], position: request.at});
  if (request.double) return tab.dblclick(request.double, {timeout: 10000});
  if (request.tap) return tab.tap(request.tap, {timeout: 10000});
  if (request.text) return tab.locator(request.text).allInnerTexts();
  if (request.count) return tab.locator(request.count).count();
  if (request.eval) return tab.evaluate(request.eval);
  if (request.drag) {
    const [x, y, dx, dy] = request.drag;
    await tab.mouse.move(x, y); await tab.mouse.down(); await tab.mouse.move(x + dx, y + dy, {steps: 4});
    return tab.mouse.up();
  }
  if (request.wheel) { const [x, y, by] = request.wheel; await tab.mouse.move(x, y); await tab.mouse.wheel(0, by); return tab.waitForTimeout(100); }
  if (request.frame) { const inner = tab.frames()[1]; await inner.locator('body[data-ready]').waitFor({timeout: 20000}); return inner.evaluate(request.frame); }
  if (request.print) return (await tab.pdf({path: request.print, printBackground: true, format: 'A4'})).length;
  if (request.shot) return (await tab.screenshot({path: request.shot})).length;
  if (request.cpu) return 1000 * (await meter.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value;
  if (request.noise) return noise;
  throw new Error('no such request: ' + Object.keys(request));
}

async function main() {
  const quiet = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  browser = await chromium.launch({executablePath: executable, headless: true, args: quiet});
  for await (const line of readline.createInterface({input: process.stdin})) {
    let reply;
    try { reply = {value: await answer(JSON.parse(line)) ?? null}; } catch (error) { reply = {error: String(error.message)}; }
    process.stdout.write(JSON.stringify(reply) + '\n');
  }
  await browser.close();
}

main();
