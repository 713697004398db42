// Photographs that come to a page by being dropped or pasted, wherever on it.

// Calls `search` with each file; `over` is a class of the body meanwhile.
export function onPhotograph(search) {
  // Anywhere, for what misses the field would leave the page.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) document.body.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) search(file);
  });
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (file) search(file);
  });
}
