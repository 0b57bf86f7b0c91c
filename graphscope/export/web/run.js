// One TensorFlow.js model and one request after the other: shared by Node, by the browser that tests drive, and by the page.
(function (scope) {
  const types = {float32: Float32Array, int32: Int32Array, bool: Uint8Array, complex64: Float32Array};

  function decode(bytes, kind) {
    return new types[kind](bytes.buffer, bytes.byteOffset, bytes.byteLength / types[kind].BYTES_PER_ELEMENT);
  }

  // feeds: {name: {dtype, shape, bytes | strings}} -> {outputs: [{dtype, shape, bytes | strings}], milliseconds}
  async function run(tf, model, feeds, names) {
    const inputs = {};
    for (const [name, feed] of Object.entries(feeds)) {
      const values = feed.dtype === 'string' ? feed.strings : decode(feed.bytes, feed.dtype);
      inputs[name] = tf.tensor(values, feed.shape, feed.dtype);
    }
    const start = performance.now();
    const made = await execute(model, inputs, names);
    const outputs = [];
    for (const tensor of made) {
      const data = await numbers(tensor);
      const answer = {dtype: tensor.dtype, shape: tensor.shape};
      if (tensor.dtype === 'string') answer.strings = Array.from(data);
      else answer.bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      outputs.push(answer);
    }
    const milliseconds = performance.now() - start;
    for (const tensor of [...made, ...Object.values(inputs)]) tensor.dispose();
    return {outputs, milliseconds};
  }

  // The cpu backend casts by a new name for the same integers: they are written as what the tensor says it is.
  async function numbers(tensor) {
    const data = await tensor.data(), type = types[tensor.dtype];
    return type === undefined || data instanceof type ? data : type.from(data);
  }

  async function execute(model, inputs, names) {
    let made;
    if (model.isDynamic) {
      made = await model.executeAsync(inputs, names);
    } else {
      try {
        made = model.execute(inputs, names);
      } catch (error) {
        if (!/dynamic|async/i.test(String(error && error.message))) throw error;
        model.isDynamic = true; // loops, conditions, tables: TensorFlow.js runs these only so
        made = await model.executeAsync(inputs, names);
      }
    }
    return Array.isArray(made) ? made : [made];
  }

  scope.graphscope = {run, execute};
})(typeof module === 'object' && module.exports ? module.exports : window);
