// The page of an export as a person uses it, in headless Chromium, with a microphone that beeps. Arguments: folder, node_modules, backend, numbers for the first text area, picture.
const fs = require('fs'), http = require('http'), path = require('path'), {createRequire} = require('module');
const [, , folder, modules, backend, numbers, picture, screenshot] = process.argv;
const {chromium} = createRequire(path.join(modules, 'package.json'))('playwright-core');
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => fs.existsSync(p));
const types = {'.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json'};
const server = http.createServer((request, response) => {
  const file = path.join(folder, decodeURIComponent(request.url.split('?')[0]).replace(/\/$/, '/index.html'));
  if (!file.startsWith(folder) || !fs.existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, {'Content-Type': types[path.extname(file)] || 'application/octet-stream'});
  fs.createReadStream(file).pipe(response);
});

async function main() {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const args = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
    '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'];
  const browser = await chromium.launch({executablePath: executable, headless: true, args});
  try {
    const tab = await browser.newPage(), errors = [];
    tab.on('pageerror', (error) => errors.push(error.message));
    await tab.goto(`http://127.0.0.1:${server.address().port}/?backend=${backend}`);
    await tab.waitForFunction(() => /^Ready/.test(document.getElementById('state').textContent) || document.querySelector('.error'), null, {timeout: 60000});
    if (numbers) await tab.locator('textarea').first().fill(numbers);
    if (picture) await tab.locator('input[type=file]').setInputFiles(picture);
    if (picture) await tab.waitForTimeout(500);
    const record = tab.getByRole('button', {name: 'Record'});
    for (let i = 0; i < await record.count(); i++) await record.nth(i).click();
    if (await record.count()) await tab.getByText(/^ ?[0-9]+ samples$/).first().waitFor({timeout: 30000});
    await tab.click('#go', {timeout: 5000});
    await tab.waitForFunction(() => document.body.dataset.answered || document.querySelector('.error'), null, {timeout: 60000});
    if (screenshot) await tab.screenshot({path: screenshot, fullPage: true});
    const text = (selector) => tab.locator(selector).allInnerTexts();
    const seen = {state: await text('#state'), time: await text('#time'), outputs: await text('#outputs fieldset'), errors};
    process.stdout.write(JSON.stringify(seen) + '\n');
  } finally {
    await browser.close();
    server.close();
  }
}

main().catch((error) => { process.stdout.write(JSON.stringify({failed: String(error.message)}) + '\n'); process.exitCode = 1; });
