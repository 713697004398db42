// The page of an exported folder: a photograph, or what a camera sees, becomes
// a code here and finds its like among the codes beside this file. Nothing is
// sent anywhere. Names reach the page as text alone.

import { onPhotograph } from "./drop.js";
import { CodeIndex, decode, load } from "./hashnet.js";

const FOUND = 24;
// How long what a camera found stays, so that its pictures come.
const SHOWN_MS = 300;

const at = (id) => document.getElementById(id);
const count = (n) => n.toLocaleString("en");
const plural = (n, what) => `${count(n)} ${what}${n === 1 ? "" : "s"}`;
const told = (ms) => (ms < 10 ? ms.toFixed(1) : count(Math.round(ms)));

let stream = null;
// Each photograph that is begun takes the place of the one before.
let current = 0;

function say(text, wrong = false) {
  at("status").textContent = text;
  at("status").classList.toggle("wrong", wrong);
}

function card(hit, index) {
  const made = at("card").content.cloneNode(true);
  const part = (name) => made.querySelector(`.${name}`);
  const source = index.thumbnail(hit.place);
  if (source === null) part("picture").remove();
  else made.querySelector("img").src = source;
  part("name").textContent = hit.name.split(/[\\/]/).pop() || hit.name;
  part("name").title = hit.name;
  part("near").textContent = plural(hit.distance, "bit");
  if (hit.label === null) part("of").remove();
  else part("of").textContent = hit.label;
  return made;
}

function show(hits, index) {
  const list = document.createElement("ul");
  list.className = "grid";
  list.append(...hits.map((hit) => card(hit, index)));
  at("found").replaceChildren(list);
}

const ready = (async () => {
  say("Loading the encoder ...");
  const begun = performance.now();
  const encoder = await load();
  const index = await CodeIndex.load(".", encoder);
  // The first run makes what the others use.
  const [height, width] = encoder.size;
  await encoder.encodeFramed(new Uint8Array(height * width * 3));
  at("about").textContent =
    `${plural(index.length, "picture")}, ${encoder.bits} bits`;
  at("film").hidden = !navigator.mediaDevices?.getUserMedia;
  say(`Loaded in ${told(performance.now() - begun)} ms`);
  return { encoder, index };
})();
ready.catch((error) => say(error.message, true));

// Finds what is like a source, and tells how long each step took.
async function find(source) {
  const { encoder, index } = await ready;
  const times = [performance.now()];
  const image = await decode(source);
  times.push(performance.now());
  const pixels = encoder.frame(image);
  times.push(performance.now());
  const code = await encoder.encodeFramed(pixels);
  times.push(performance.now());
  const hits = index.search(code, FOUND);
  times.push(performance.now());
  const steps = ["decoding", "framing", "encoding", "search"].map(
    (step, i) => `${step} ${told(times[i + 1] - times[i])}`,
  );
  const all = told(times[4] - times[0]);
  const found = plural(hits.length, "picture");
  const text = `${found} found in ${all} ms (${steps.join(", ")})`;
  return { hits, index, text };
}

async function search(file) {
  stop();
  const mine = ++current;
  say("Searching ...");
  at("found").replaceChildren();
  try {
    const { hits, index, text } = await find(file);
    if (mine !== current) return;
    URL.revokeObjectURL(at("query").src);
    at("query").src = URL.createObjectURL(file);
    at("query").hidden = false;
    at("drop").classList.add("asked");
    at("asked").textContent = file.name || "A pasted picture";
    show(hits, index);
    say(text);
  } catch (error) {
    if (mine === current) say(error.message, true);
  }
}

async function film() {
  const mine = ++current;
  const camera = at("camera");
  try {
    const opened = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment" },
    });
    if (mine !== current) {
      for (const track of opened.getTracks()) track.stop();
      return;
    }
    stream = camera.srcObject = opened;
    await camera.play();
    at("query").hidden = true;
    camera.hidden = false;
    at("drop").classList.add("asked");
    at("asked").textContent = "What the camera sees";
    at("film").textContent = "Stop the camera";
    let before = "";
    let shown = 0;
    while (mine === current) {
      const { hits, index, text } = await find(camera);
      if (mine !== current) break;
      const places = hits.map((hit) => hit.place).join();
      const now = performance.now();
      if (places !== before && now - shown > SHOWN_MS) {
        show(hits, index);
        before = places;
        shown = now;
      }
      say(text);
      await new Promise(requestAnimationFrame);
    }
  } catch (error) {
    if (mine === current) {
      stop();
      say(`The camera must be allowed and free: ${error.message}`, true);
    }
  }
}

function stop() {
  current++;
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  at("camera").srcObject = null;
  at("camera").hidden = true;
  at("film").textContent = "Use the camera";
}

at("file").addEventListener("change", () => {
  const [file] = at("file").files;
  // So that the same file may be chosen again.
  if (file) search(file).then(() => (at("file").value = ""));
});
at("film").addEventListener("click", () => (stream ? stop() : film()));
at("drop").addEventListener("submit", (event) => event.preventDefault());

onPhotograph(search);
