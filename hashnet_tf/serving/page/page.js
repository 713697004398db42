// The page: what the address names behind its "#" is what is shown, so that
// the browser's own ways back and forth work. Names of files reach the page as
// text alone.

import { onPhotograph } from "./drop.js";

const LARGEST = 32 * 2 ** 20;
const TYPES = ["image/jpeg", "image/png", "image/webp", "image/bmp"];
const OTHER = "application/octet-stream";
const FOUND = 48;
const ITEMS = 60;
const GROUPS = 20;

const at = (id) => document.getElementById(id);
const count = (n) => n.toLocaleString("en");
const plural = (n, what) => `${count(n)} ${what}${n === 1 ? "" : "s"}`;

const noun = () => (served.vectors ? "vector" : "picture");

// What the service tells of the index.
let served = { images: true, bits: 0 };
// What was searched with last: its name, its picture, and what was found.
let asked = null;
// Each view that begins ends what the one before still waits for.
let current = new AbortController();

function say(text, wrong = false) {
  at("status").textContent = text;
  at("status").classList.toggle("wrong", wrong);
}

async function answer(path, options = {}) {
  const { signal } = current;
  const response = await fetch(path, { signal, ...options });
  const told = await response.json();
  if (!response.ok) throw new Error(told.error);
  return told;
}

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null);
  return new URLSearchParams(given).toString();
}

function card(item) {
  const made = at("card").content.cloneNode(true);
  const part = (name) => made.querySelector(`.${name}`);
  const name = item.name.split(/[\\/]/).pop() || item.name;
  const like = `#/like/${item.id}`;
  const image = made.querySelector("img");
  image.addEventListener("error", () => {
    image.closest("a").classList.add("gone");
    image.remove();
  });
  image.src = `thumbnails/${item.id}`;
  image.alt = `More like ${name}`;
  part("picture").href = part("like").href = like;
  part("picture").title = item.name;
  part("name").textContent = name;
  part("name").title = item.name;
  const near = [];
  if (item.distance !== null) near.push(plural(item.distance, "bit"));
  if (item.similarity !== null) {
    near.push(`cosine ${item.similarity.toFixed(3)}`);
  }
  if (near.length) part("near").textContent = near.join(", ");
  else part("near").remove();
  if (item.label !== null) {
    part("label").textContent = item.label;
    part("label").title = `All of the class ${item.label}`;
    part("label").href = `#/label/${encodeURIComponent(item.label)}`;
  } else {
    part("of").remove();
  }
  const radius = Math.round(served.bits / 8);
  part("code").href = `#/code/${item.code}/${radius}`;
  part("code").title = `Those of a code near to ${item.code}`;
  return made;
}

function grid(items) {
  const list = document.createElement("ul");
  list.className = "grid";
  list.append(...items.map(card));
  return list;
}

function showMore(wanted) {
  const more = at("more");
  const click = async () => {
    // A second click would ask for the same once more.
    more.disabled = true;
    await guarded(wanted);
    // Else it is another one's by now.
    if (more.onclick === click) more.disabled = false;
    // A button that was disabled has lost it.
    if (document.activeElement === document.body) more.focus();
  };
  more.hidden = wanted === null;
  more.disabled = false;
  more.onclick = wanted && click;
}

// Runs what asks the service, and says what went wrong.
async function guarded(work) {
  const mine = current;
  try {
    await work();
  } catch (error) {
    if (mine.signal.aborted) return;
    const lost = error instanceof TypeError;
    say(lost ? "The service does not answer." : error.message, true);
  }
}

function showHits(hits, told) {
  at("found").replaceChildren(grid(hits));
  say(told);
}

function showAsked(name, source) {
  at("drop").classList.add("asked");
  at("asked").textContent = name;
  at("query").src = source;
  at("query").hidden = false;
}

async function search(file) {
  current.abort();
  current = new AbortController();
  showMore(null);
  if (file.size > LARGEST) {
    say(`A photograph may have 32 MB at most; ${file.name} has more.`, true);
    return;
  }
  at("found").replaceChildren();
  say("Searching ...");
  const begun = performance.now();
  const kind = TYPES.includes(file.type) ? file.type : OTHER;
  await guarded(async () => {
    const { hits } = await answer(`search?k=${FOUND}`, {
      method: "POST",
      headers: { "Content-Type": kind },
      body: file,
    });
    const ms = Math.round(performance.now() - begun);
    if (asked) URL.revokeObjectURL(asked.source);
    asked = {
      name: file.name || "A pasted picture",
      source: URL.createObjectURL(file),
      hits,
      told: `${plural(hits.length, "picture")} found in ${count(ms)} ms`,
    };
    go("#/found");
  });
}

const views = {
  search() {
    at("drop").classList.remove("asked");
    const without = served.vectors
      ? "This index is of vectors, with which its API is asked."
      : "This index has no encoder, so no photograph can be searched with.";
    at("asked").textContent = served.images
      ? "Drop a photograph here, or paste one."
      : without + " Browse it, and see what is like the items that are there.";
    at("query").hidden = true;
  },

  found() {
    if (asked === null) {
      location.hash = "#/";
      return;
    }
    showAsked(asked.name, asked.source);
    showHits(asked.hits, asked.told);
  },

  async like(id) {
    showAsked("More like this one", `thumbnails/${encodeURIComponent(id)}`);
    const { hits } = await answer(
      `like/${encodeURIComponent(id)}?k=${FOUND}`,
    );
    showHits(hits, `${plural(hits.length, noun())} like this one`);
  },

  async browse() {
    await browse({ label: null });
  },

  async label(label) {
    await browse({ label });
  },

  async code(code, radius) {
    await browse({ code, radius });
  },

  async duplicates(radius) {
    const looks = radius ?? at("looks").value;
    at("looks").value = looks;
    say("Comparing all pictures ...");
    let offset = 0;
    const next = async () => {
      const { total, groups, sizes } = await answer(
        `duplicates?${query({ radius: looks, offset, limit: GROUPS })}`,
      );
      offset += groups.length;
      for (const [i, group] of groups.entries()) {
        const title = document.createElement("h2");
        title.textContent = plural(sizes[i], "file");
        if (group.length < sizes[i]) {
          title.textContent += `, the first ${count(group.length)} of them`;
        }
        at("found").append(title, grid(group));
      }
      say(`${plural(total, "group")} of alike pictures; no file is deleted`);
      showMore(offset < total && groups.length ? next : null);
    };
    await next();
  },
};

async function browse({ label = null, code = null, radius = null }) {
  at("code").value = code ?? "";
  at("radius").value = radius ?? 0;
  const { labels } = await answer("labels");
  const options = labels.map((one) => {
    const told = `${one.label} (${count(one.items)})`;
    return new Option(told, one.label);
  });
  at("labels").replaceChildren(new Option("All", ""), ...options);
  at("labels").value = label ?? "";
  const list = grid([]);
  at("found").replaceChildren(list);
  let offset = 0;
  const next = async () => {
    const { total, items } = await answer(
      `items?${query({ label, code, radius, offset, limit: ITEMS })}`,
    );
    offset += items.length;
    list.append(...items.map(card));
    say(plural(total, noun()));
    showMore(offset < total && items.length ? next : null);
  };
  await next();
}

// The form of each view; "found" is a search, "label" a way to browse.
const forms = {
  search: "search",
  found: "search",
  like: "search",
  browse: "browse",
  label: "browse",
  code: "browse",
  duplicates: "duplicates",
};

async function show() {
  current.abort();
  current = new AbortController();
  const parts = location.hash.replace(/^#\//, "").split("/");
  const name = Object.hasOwn(views, parts[0]) ? parts[0] : "search";
  for (const element of document.querySelectorAll("[data-view]")) {
    const own = element.dataset.view === forms[name];
    if (element.matches("form")) element.hidden = !own;
    else if (own) element.setAttribute("aria-current", "page");
    else element.removeAttribute("aria-current");
  }
  at("found").replaceChildren();
  showMore(null);
  say("");
  await guarded(() => views[name](...parts.slice(1).map(decodeURIComponent)));
}

function go(hash) {
  if (location.hash === hash) show();
  else location.hash = hash;
}

async function begin() {
  const mine = current;
  await guarded(async () => {
    // Whatever is begun meanwhile.
    served = await answer("healthz", { signal: null });
    at("about").textContent =
      `${plural(served.items, noun())}, ${served.bits} bits`;
    at("file").disabled = !served.images;
    at("choose").hidden = !served.images;
  });
  // A photograph may have been dropped before.
  if (mine === current) await show();
}

at("file").accept = TYPES.join();
at("file").addEventListener("change", () => {
  const [file] = at("file").files;
  // So that the same file may be chosen again.
  if (file) search(file).then(() => (at("file").value = ""));
});
at("browse").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = at("code").value.trim();
  const radius = at("radius").value || 0;
  go(code ? `#/code/${encodeURIComponent(code)}/${radius}` : "#/browse");
});
at("labels").addEventListener("change", () => {
  const label = at("labels").value;
  go(label ? `#/label/${encodeURIComponent(label)}` : "#/browse");
});
at("duplicates").addEventListener("submit", (event) => {
  event.preventDefault();
  go(`#/duplicates/${at("looks").value || 0}`);
});
at("drop").addEventListener("submit", (event) => event.preventDefault());

onPhotograph(search);
window.addEventListener("hashchange", show);
begin();
