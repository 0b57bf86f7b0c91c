// A TensorFlow.js graph model in headless Chromium, asked as graphscope/export/web/node.js is: folder, backend, node_modules.
const fs = require('fs'), http = require('http'), path = require('path'), readline = require('readline'), {createRequire} = require('module');
const [, , folder, backend, modules] = process.argv;
const {chromium} = createRequire(path.join(modules, 'package.json'))('playwright-core');
const web = path.join(__dirname, '..', '..', 'graphscope', 'export', 'web');
const types = {'.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json'};
const places = {'/model/': folder, '/modules/': modules, '/web/': web};
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => fs.existsSync(p));
const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');
const page = `<!doctype html><script src="/modules/@tensorflow/tfjs/dist/tf.min.js"></script>
<script src="/modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js"></script>
<script src="/modules/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js"></script><script src="/web/run.js"></script>`;

const server = http.createServer((request, response) => {
  const url = decodeURIComponent(request.url.split('?')[0]);
  const prefix = Object.keys(places).find((p) => url.startsWith(p));
  const isolated = {'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp'};
  if (url === '/') return response.writeHead(200, {'Content-Type': 'text/html', ...isolated}).end(page);
  const file = prefix && path.join(places[prefix], url.slice(prefix.length));
  if (!file || !file.startsWith(path.normalize(places[prefix])) || !fs.existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, {'Content-Type': types[path.extname(file)] || 'application/octet-stream', ...isolated});
  fs.createReadStream(file).pipe(response);
});

async function open(tab) {
  return tab.evaluate(async (backend) => {
    if (backend === 'wasm') tf.wasm.setWasmPaths('/modules/@tensorflow/tfjs-backend-wasm/dist/');
    if (!await tf.setBackend(backend)) throw new Error('no backend ' + backend);
    await tf.ready();
    if (tf.getBackend() !== backend) throw new Error('runs on ' + tf.getBackend());
    window.model = await tf.loadGraphModel('/model/model.json');
    return tf.version_core;
  }, backend);
}

async function ask(tab, request) {
  return tab.evaluate(async ({feeds, names}) => {
    for (const feed of Object.values(feeds)) {
      if (feed.base64 !== undefined) feed.bytes = Uint8Array.from(atob(feed.base64), (c) => c.charCodeAt(0));
    }
    const {outputs, milliseconds} = await graphscope.run(tf, model, feeds, names);
    for (const each of outputs) if (each.bytes) {
      let text = '';
      for (let i = 0; i < each.bytes.length; i += 8192) text += String.fromCharCode(...each.bytes.subarray(i, i + 8192));
      each.base64 = btoa(text);
      delete each.bytes;
    }
    return {outputs, milliseconds};
  }, request);
}

async function main() {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const graphics = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--enable-unsafe-webgpu', '--ignore-gpu-blocklist'];
  const quiet = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const browser = await chromium.launch({executablePath: executable, headless: true, args: [...quiet, ...graphics]});
  const tab = await browser.newPage();
  try {
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    say({ready: true, version: await open(tab)});
    for await (const line of readline.createInterface({input: process.stdin})) {
      try { say(await ask(tab, JSON.parse(line))); } catch (error) { say({error: String(error.message)}); }
    }
  } catch (error) {
    say({error: String(error.message)});
  } finally {
    await browser.close();
    server.close();
  }
}

main();
