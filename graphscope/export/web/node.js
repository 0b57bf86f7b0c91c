// A TensorFlow.js graph model in Node. Arguments: folder of the model, backend. One JSON request a line on stdin, one answer a line on stdout.
const fs = require('fs'), path = require('path'), readline = require('readline'), {createRequire} = require('module');
const {graphscope} = require('./run.js');
const [, , folder, backend, modules] = process.argv;
const from = createRequire(path.join(modules, 'package.json'));
const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');
console.log = console.info = console.warn = () => {};

async function open() {
  const tf = from('@tensorflow/tfjs');
  if (backend === 'wasm') {
    const wasm = from('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(path.join(path.dirname(from.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist') + path.sep);
  }
  if (!await tf.setBackend(backend)) throw new Error(`no backend ${backend}`);
  await tf.ready();
  const document = JSON.parse(fs.readFileSync(path.join(folder, 'model.json')));
  const groups = document.weightsManifest;
  const data = Buffer.concat(groups.flatMap((g) => g.paths.map((p) => fs.readFileSync(path.join(folder, p)))));
  const weightData = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const artifacts = {...document, weightSpecs: groups.flatMap((g) => g.weights), weightData};
  return [tf, await tf.loadGraphModel({load: async () => artifacts})];
}

async function main() {
  let tf, model;
  try {
    [tf, model] = await open();
    say({ready: true, version: tf.version_core});
  } catch (error) {
    say({error: String(error && error.message || error)});
    return;
  }
  for await (const line of readline.createInterface({input: process.stdin})) {
    const {feeds, names} = JSON.parse(line);
    try {
      for (const feed of Object.values(feeds)) if (feed.base64 !== undefined) {
        feed.bytes = Uint8Array.from(Buffer.from(feed.base64, 'base64')); // its own buffer, so that its offset is 0
      }
      const {outputs, milliseconds} = await graphscope.run(tf, model, feeds, names);
      for (const each of outputs) if (each.bytes) {
        each.base64 = Buffer.from(each.bytes).toString('base64');
        delete each.bytes;
      }
      say({outputs, milliseconds});
    } catch (error) {
      say({error: String(error && error.message || error), stack: String(error && error.stack)});
    }
  }
}

main();
