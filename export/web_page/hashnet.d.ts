/** Pixels, row by row, RGB or RGBA, as `ImageData` has them; alpha is dropped. */
export interface Image {
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
}

/** What a network sees of an image. */
export interface Framing {
  /** `[height, width]` of the network. */
  size: [number, number];
  framing: "whole" | "paper" | "modern";
  /** `[height, width]` that the other two framings crop `size` from. */
  uncropped: [number, number];
}

/** How LiteRT.js is loaded: once for a page, by the first call of `load`. */
export interface LoadOptions {
  /** Folder of LiteRT.js' `.wasm` files; default: `litert/wasm/` in the export. */
  wasm?: string;
  /**
   * Whether to run on several threads, for which the page must be served with
   * the headers COOP and COEP; default: if it is.
   */
  threads?: boolean;
}

/**
 * Loads the encoder of an exported folder.
 *
 * ```js
 * const encoder = await load("search/");
 * const code = await encoder.encode(await decode(file));
 * ```
 *
 * @param url The folder; default: that of the page.
 * @throws If a file is missing or of another form, or LiteRT.js does not load.
 */
export function load(
  url?: string | URL,
  options?: LoadOptions,
): Promise<Encoder>;

/** What turns photographs into codes; `load` makes it. */
export class Encoder implements Framing {
  private constructor();
  /** K, the number of bits. */
  readonly bits: number;
  readonly size: [number, number];
  readonly framing: "whole" | "paper" | "modern";
  readonly uncropped: [number, number];
  /** The same for codes that may be compared. */
  readonly modelDigest: string;
  /** Whether it runs on several threads. */
  readonly threads: boolean;
  /** The pixels that the network sees, RGB `[height, width, 3]`. */
  frame(image: Image): Uint8Array;
  /**
   * The packed code of an image of any size, `ceil(bits / 8)` bytes, the first
   * bit in the highest place of the first byte, as in Python.
   */
  encode(image: Image): Promise<Uint8Array>;
  /** The same of pixels that are framed already. */
  encodeFramed(pixels: Uint8Array): Promise<Uint8Array>;
  /** Gives its memory back. */
  delete(): Promise<void>;
}

/**
 * Decodes a photograph upright, without a colour profile, its transparency
 * dropped, as Python does.
 *
 * @param source A file, or what else has a picture: a video, a canvas.
 * @throws If the browser cannot decode it, or it has more than 2^26 pixels.
 */
export function decode(source: ImageBitmapSource): Promise<Image>;

/**
 * Frames an image as the network saw it in training: bilinear with
 * antialiasing, pixel for pixel what Python gives.
 *
 * @returns RGB `[height, width, 3]` of `framing.size`.
 */
export function frame(image: Image, framing: Framing): Uint8Array;

/** A picture that was found. */
export interface Hit {
  /** Its place among the codes. */
  place: number;
  name: string;
  /** Its class, null where it is not known. */
  label: string | null;
  /** Bits in which its code differs. */
  distance: number;
}

/** Codes with names, in memory, searched one and all. */
export class CodeIndex {
  /** @throws If there are not as many codes as names. */
  constructor(codes: {
    /** Packed codes, one after the other, `ceil(bits / 8)` bytes each. */
    codes: Uint8Array;
    bits: number;
    names: string[];
    labels?: (string | null)[] | null;
    modelDigest?: string;
  });
  /**
   * Loads the codes of an exported folder.
   *
   * @param url The folder; default: that of the page.
   * @param encoder Whose codes they must be.
   * @throws If they are of another encoder, or a file is missing.
   */
  static load(url?: string | URL, encoder?: Encoder | null): Promise<CodeIndex>;
  readonly bits: number;
  readonly length: number;
  readonly names: string[];
  readonly labels: (string | null)[] | null;
  readonly modelDigest: string;
  /** The address of a small JPEG, null where the export has none. */
  thumbnail(place: number): string | null;
  /** The distance of each code from one, in bits. */
  distances(code: Uint8Array): Uint16Array;
  /** The k nearest, nearest first, those as near in the order of the codes. */
  search(code: Uint8Array, k?: number): Hit[];
}
