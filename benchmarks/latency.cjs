// Several TensorFlow.js models of one picture in one Node process, their runs interleaved. Arguments: node_modules, runs, folders.
// One JSON line: for each folder the lowest and the quartile of the processors' milliseconds a run, which a busy machine does not stretch.
const fs = require('fs'), path = require('path'), {createRequire} = require('module');
const [, , modules, runs, ...folders] = process.argv;
const from = createRequire(path.join(modules, 'package.json'));
console.warn = () => {};

async function open(tf, folder) {
  const document = JSON.parse(fs.readFileSync(path.join(folder, 'model.json'))), groups = document.weightsManifest;
  const data = Buffer.concat(groups.flatMap((g) => g.paths.map((p) => fs.readFileSync(path.join(folder, p)))));
  const weightData = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  return tf.loadGraphModel({load: async () => ({...document, weightSpecs: groups.flatMap((g) => g.weights), weightData})});
}

async function main() {
  const tf = from('@tensorflow/tfjs'), wasm = from('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(path.join(modules, '@tensorflow/tfjs-backend-wasm', 'dist') + path.sep);
  await tf.setBackend('wasm');
  await tf.ready();
  const models = await Promise.all(folders.map((folder) => open(tf, folder)));
  const picture = tf.randomUniform([1, 224, 224, 3]), times = folders.map(() => []);
  for (let run = -2; run < Number(runs); run++) {
    for (const [i, model] of models.entries()) {
      const before = process.cpuUsage(), answer = model.execute(picture);
      await answer.data();
      answer.dispose();
      const {user, system} = process.cpuUsage(before);
      if (run >= 0) times[i].push((user + system) / 1e3);
    }
  }
  for (const each of times) each.sort((a, b) => a - b);
  process.stdout.write(JSON.stringify(times.map((t) => [t[0], t[t.length >> 2]])) + '\n');
}

main();
