// Runs an encoder on inputs, both of which lie beside the page, by a runtime
// for browsers. A job tells the input's name, dtype and shape, and how many
// items are taken at once; what comes back is the codes, in base64.

const ARRAYS = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array };

async function bytes(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.arrayBuffer();
}

async function* batches({ dtype, shape, atOnce }) {
  const [count, ...item] = shape;
  const values = new ARRAYS[dtype](await bytes("inputs"));
  const size = values.length / count;
  for (let from = 0; from < count; from += atOnce) {
    const to = Math.min(from + atOnce, count);
    yield [values.slice(from * size, to * size), [to - from, ...item]];
  }
}

function text(codes) {
  let all = "";
  for (const code of codes) all += String.fromCharCode(...code);
  return btoa(all);
}

export async function litertjs(job) {
  const { loadAndCompile, loadLiteRt, Tensor } = await import("@litertjs/core");
  await loadLiteRt(
    new URL("node_modules/@litertjs/core/wasm/", document.baseURI).href,
    { threads: globalThis.crossOriginIsolated },
  );
  const content = new Uint8Array(await bytes("encoder"));
  const model = await loadAndCompile(content, { accelerator: "wasm" });
  const codes = [];
  for await (const [values, shape] of batches(job)) {
    const input = new Tensor(values, shape);
    const outputs = await model.run({ [job.name]: input });
    codes.push(Uint8Array.from(await outputs.codes.data()));
    input.delete();
    for (const output of Object.values(outputs)) output.delete();
  }
  return text(codes);
}

export async function onnxruntimeWeb(job) {
  const { InferenceSession, Tensor } = await import("onnxruntime-web");
  const session = await InferenceSession.create(await bytes("encoder"), {
    executionProviders: ["wasm"],
  });
  const codes = [];
  for await (const [values, shape] of batches(job)) {
    const input = new Tensor(job.dtype, values, shape);
    const outputs = await session.run({ [job.name]: input }, ["codes"]);
    codes.push(outputs.codes.data);
  }
  return text(codes);
}
