// Codes of photographs, and the search among codes, in a browser.
//
// What a network sees is framed here as in Python, in single precision and in
// the order of TensorFlow's ScaleAndTranslate: a canvas resizes otherwise, and
// other pixels are other bits. Nothing but `load` needs LiteRT.js, and nothing
// but `decode` a page.

// As many as Python decodes.
const MOST_PIXELS = 2 ** 26;
const FORMAT = 1;

let runtime = null;

/** Loads LiteRT.js, once for all encoders. */
function loadRuntime(wasm, threads) {
  runtime ??= (async () => {
    const litert = await import("@litertjs/core");
    const wanted = threads ?? globalThis.crossOriginIsolated === true;
    const able =
      wanted &&
      (await litert.supportsFeature("relaxedSimd")) &&
      (await litert.supportsFeature("threads"));
    await litert.loadLiteRt(wasm, { threads: able });
    return { ...litert, threads: able };
  })();
  // A network that failed once may be there the next time.
  runtime.catch(() => (runtime = null));
  return runtime;
}

async function fetched(url, options = {}) {
  const response = await fetch(url, options);
  if (!response.ok) {
    throw new Error(
      `A file of the export must be there. Received: ${url}, which the server` +
        ` answers with ${response.status}`,
    );
  }
  return response;
}

async function described(url, kind) {
  // Asked for anew each time: it names the other files with their digests, so
  // that those of an older export are not taken from a cache.
  const told = await (await fetched(url, { cache: "no-cache" })).json();
  if (told.format !== FORMAT || told.kind !== kind) {
    throw new Error(
      `${url} must be of the form that this module reads, ${kind}` +
        ` ${FORMAT}. Received: ${told.kind} ${told.format}`,
    );
  }
  return told;
}

function folderOf(url) {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  return new URL(String(url).replace(/\/?$/, "/"), base);
}

export async function load(url = ".", { wasm, threads } = {}) {
  const folder = folderOf(url);
  const told = await described(new URL("encoder.json", folder), "encoder");
  const { loadAndCompile, Tensor, ...litert } = await loadRuntime(
    wasm ?? new URL("litert/wasm/", folder).href,
    threads,
  );
  const file = await fetched(new URL(told.file, folder));
  const content = new Uint8Array(await file.arrayBuffer());
  const model = await loadAndCompile(content, { accelerator: "wasm" });
  return new Encoder(told, model, Tensor, litert.threads);
}

export class Encoder {
  #model;
  #Tensor;
  #last = Promise.resolve();

  constructor(told, model, Tensor, threads) {
    this.bits = told.bits;
    this.size = told.image_size;
    this.framing = told.framing;
    this.uncropped = told.uncropped_size;
    this.modelDigest = told.model_digest;
    this.threads = threads;
    this.#model = model;
    this.#Tensor = Tensor;
  }

  frame(image) {
    return frame(image, this);
  }

  async encode(image) {
    return this.encodeFramed(this.frame(image));
  }

  async encodeFramed(pixels) {
    const [height, width] = this.size;
    if (pixels.length !== height * width * 3) {
      throw new Error(
        `The pixels must be those of ${height} x ${width} in RGB.` +
          ` Received: ${pixels.length} values`,
      );
    }
    // One at a time: the runtime has one set of buffers.
    const code = this.#last.then(() => this.#run(pixels));
    this.#last = code.catch(() => undefined);
    return code;
  }

  async #run(pixels) {
    const images = new this.#Tensor(Uint8Array.from(pixels), [
      1,
      ...this.size,
      3,
    ]);
    let outputs = null;
    try {
      outputs = await this.#model.run({ images });
      return Uint8Array.from(await outputs.codes.data());
    } finally {
      images.delete();
      for (const output of Object.values(outputs ?? {})) output.delete();
    }
  }

  async delete() {
    await this.#last;
    this.#model.delete();
  }
}

export async function decode(source) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(source, {
      imageOrientation: "from-image",
      // Transparency is dropped and no colour profile applied, as in Python.
      premultiplyAlpha: "none",
      colorSpaceConversion: "none",
    });
  } catch (error) {
    throw new Error(
      "A photograph must be whole, and of a format that this browser decodes." +
        ` Received: ${error.message}`,
    );
  }
  const { width, height } = bitmap;
  try {
    if (width * height > MOST_PIXELS) {
      throw new Error(
        `A photograph may have ${MOST_PIXELS} pixels at most.` +
          ` Received: ${width} x ${height}`,
      );
    }
    return { data: pixelsOf(bitmap), width, height };
  } finally {
    bitmap.close();
  }
}

function pixelsOf(bitmap) {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  for (let alpha = 3; alpha < data.length; alpha += 4) {
    if (data[alpha] !== 255) return transparentPixelsOf(bitmap);
  }
  return data;
}

// A canvas keeps colours multiplied by their alpha, and so none of what is
// wholly transparent; a texture keeps what the file has.
function transparentPixelsOf(bitmap) {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (gl === null) {
    throw new Error(
      "A photograph with transparency needs a browser with WebGL 2, which" +
        " keeps the colours below it. Received: none",
    );
  }
  const { TEXTURE_2D, FRAMEBUFFER, RGBA, UNSIGNED_BYTE } = gl;
  const data = new Uint8Array(width * height * 4);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  const texture = gl.createTexture();
  gl.bindTexture(TEXTURE_2D, texture);
  gl.texImage2D(TEXTURE_2D, 0, RGBA, RGBA, UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(
    FRAMEBUFFER,
    gl.COLOR_ATTACHMENT0,
    TEXTURE_2D,
    texture,
    0,
  );
  gl.readPixels(0, 0, width, height, RGBA, UNSIGNED_BYTE, data);
  const error = gl.getError();
  // A page may have few of these at a time.
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  if (error !== gl.NO_ERROR) {
    throw new Error(
      "A photograph with transparency must be of a size that this browser's" +
        ` WebGL takes. Received: ${width} x ${height}`,
    );
  }
  return data;
}

export function frame({ data, width, height }, { size, framing, uncropped }) {
  const channels = data.length / (width * height);
  if (channels !== 3 && channels !== 4) {
    throw new Error(
      "An image must have 3 or 4 bytes a pixel, RGB or RGBA." +
        ` Received: ${data.length} of ${width} x ${height}`,
    );
  }
  let within = framing === "whole" ? size : uncropped;
  if (framing === "modern") {
    // The short side covers; the long one is rounded down.
    const wide = width * within[0];
    const high = height * within[1];
    within = [
      wide >= high ? within[0] : Math.floor(high / width),
      wide >= high ? Math.floor(wide / height) : within[1],
    ];
  }
  const [top, left] = within.map((side, i) => Math.floor((side - size[i]) / 2));
  const [rows, columns] = size;
  const framed = new Uint8Array(rows * columns * 3);
  if (within[0] === height && within[1] === width) {
    for (let row = 0, to = 0; row < rows; row++) {
      let from = ((row + top) * width + left) * channels;
      for (let column = 0; column < columns; column++, from += channels) {
        for (let c = 0; c < 3; c++) framed[to++] = data[from + c];
      }
    }
    return framed;
  }
  const down = spans(height, within[0], top, rows);
  const across = spans(width, within[1], left, columns);
  const line = new Float32Array(width * 3);
  for (let row = 0, to = 0; row < rows; row++) {
    gatherRows(data, width, channels, down, row, line);
    for (let column = 0; column < columns; column++, to += 3) {
      gatherColumn(line, across, column, framed, to);
    }
  }
  return framed;
}

// Which pixels each new one is the mean of, and their weights: a triangle as
// wide as a new pixel, or as an old one where those are wider.
function spans(there, wanted, offset, count) {
  const f = Math.fround;
  const scale = f(f(wanted) / f(there));
  const inverse = f(1 / scale);
  const translation = f(-f(offset) * inverse);
  const kernel = Math.max(inverse, 1);
  const narrowed = f(1 / kernel);
  const found = [];
  for (let i = 0; i < count; i++) {
    const centre = f(f(f(i + 0.5) * inverse) - translation);
    const clip = (place) => Math.min(Math.max(place, 0), there - 1);
    const first = clip(Math.ceil(f(f(centre - kernel) - 0.5)));
    const last = clip(Math.floor(f(f(centre + kernel) - 0.5)));
    const weights = new Float32Array(last - first + 1);
    let total = 0;
    for (let tap = 0; tap < weights.length; tap++) {
      const far = f(Math.abs(f(f(first + tap + 0.5) - centre)));
      weights[tap] = Math.max(f(1 - f(far * narrowed)), 0);
      total = f(total + weights[tap]);
    }
    const share = f(1 / total);
    for (let tap = 0; tap < weights.length; tap++) weights[tap] *= share;
    found.push({ first, weights });
  }
  return found;
}

// A product of two single-precision numbers is exact in double, so to round
// it, and then the sum, is what single precision does.
function gatherRows(data, width, channels, down, row, line) {
  const { first, weights } = down[row];
  line.fill(0);
  for (let tap = 0; tap < weights.length; tap++) {
    const weight = weights[tap];
    let from = (first + tap) * width * channels;
    for (let to = 0; to < line.length; to += 3, from += channels) {
      line[to] += Math.fround(data[from] * weight);
      line[to + 1] += Math.fround(data[from + 1] * weight);
      line[to + 2] += Math.fround(data[from + 2] * weight);
    }
  }
}

function gatherColumn(line, across, column, framed, to) {
  const { first, weights } = across[column];
  for (let c = 0; c < 3; c++) {
    let sum = 0;
    for (let tap = 0; tap < weights.length; tap++) {
      const product = Math.fround(line[(first + tap) * 3 + c] * weights[tap]);
      sum = Math.fround(sum + product);
    }
    framed[to + c] = rounded(sum);
  }
}

// Halves to the even one, as NumPy and TensorFlow round.
function rounded(value) {
  let whole = Math.floor(value);
  const rest = value - whole;
  if (rest > 0.5 || (rest === 0.5 && whole % 2 === 1)) whole += 1;
  return Math.min(Math.max(whole, 0), 255);
}

export class CodeIndex {
  #words;
  #width;

  constructor({ codes, bits, names, labels = null, modelDigest = "" }) {
    const bytes = Math.ceil(bits / 8);
    if (codes.length !== bytes * names.length) {
      throw new Error(
        `Codes of ${bits} bits must have ${bytes} bytes for each name.` +
          ` Received: ${codes.length} bytes of ${names.length} names`,
      );
    }
    this.bits = bits;
    this.names = names;
    this.labels = labels;
    this.modelDigest = modelDigest;
    this.thumbnail = () => null;
    this.#width = Math.ceil(bytes / 4);
    this.#words = words(codes, bytes, names.length);
  }

  static async load(url = ".", encoder = null) {
    const folder = folderOf(url);
    const told = await described(new URL("codes.json", folder), "codes");
    if (encoder !== null && encoder.modelDigest !== told.model_digest) {
      throw new Error(
        "The codes must be those of the encoder. Received: codes of" +
          ` ${told.model_digest} beside ${encoder.modelDigest}`,
      );
    }
    const file = await fetched(new URL(told.file, folder));
    const index = new CodeIndex({
      codes: new Uint8Array(await file.arrayBuffer()),
      bits: told.bits,
      names: told.names,
      labels: told.labels,
      modelDigest: told.model_digest,
    });
    if (told.thumbnails !== null) {
      const at = new URL(`${told.thumbnails}/`, folder);
      index.thumbnail = (place) => new URL(`${place}.jpg`, at).href;
    }
    return index;
  }

  get length() {
    return this.names.length;
  }

  distances(code) {
    const width = this.#width;
    if (code.length !== Math.ceil(this.bits / 8)) {
      throw new Error(
        `A code of ${this.bits} bits has ${Math.ceil(this.bits / 8)} bytes.` +
          ` Received: ${code.length}`,
      );
    }
    const asked = words(code, code.length, 1);
    const all = this.#words;
    const found = new Uint16Array(this.length);
    for (let item = 0, at = 0; item < found.length; item++) {
      let count = 0;
      for (let word = 0; word < width; word++) {
        count += ones(all[at++] ^ asked[word]);
      }
      found[item] = count;
    }
    return found;
  }

  search(code, k = 10) {
    const far = this.distances(code);
    const most = Math.min(k, far.length);
    const counts = new Uint32Array(this.bits + 1);
    for (const distance of far) counts[distance]++;
    // Where the items of each distance begin among the nearest.
    const next = new Uint32Array(this.bits + 1);
    let radius = 0;
    for (let begun = 0; radius <= this.bits && begun < most; radius++) {
      next[radius] = begun;
      begun += counts[radius];
    }
    const hits = new Array(most);
    for (let place = 0; place < far.length; place++) {
      const distance = far[place];
      if (distance >= radius) continue;
      const rank = next[distance]++;
      if (rank >= most) continue;
      const label = this.labels?.[place] ?? null;
      hits[rank] = { place, name: this.names[place], distance, label };
    }
    return hits;
  }
}

// Codes as words of 32 bits, the last of each filled up by zeros.
function words(codes, bytes, count) {
  const width = Math.ceil(bytes / 4);
  const padded = new Uint8Array(width * 4 * count);
  for (let item = 0; item < count; item++) {
    const code = codes.subarray(item * bytes, (item + 1) * bytes);
    padded.set(code, item * width * 4);
  }
  return new Uint32Array(padded.buffer);
}

function ones(word) {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
