// Copy buttons, a question before something ends for good, and how far a download is. Pages work without.
for (const holder of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${holder.dataset.copy}`);
  button.addEventListener("click", async () => {
    const text = holder.querySelector("code, pre").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(holder.querySelector("code, pre"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected";
    }
  });
  holder.append(button);
}
for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.ask)) event.preventDefault();
  });
}
// Rows of a CSV: line ends outside of quotes. A second click stops.
for (const link of document.querySelectorAll("a[data-download]")) {
  const status = link.parentElement.querySelector("[role=status]");
  const name = link.textContent;
  const count = new Intl.NumberFormat("en").format;
  let stop = null;
  const follow = async () => {
    const answer = await fetch(link.href, { signal: stop.signal });
    // A page instead of a file: the session has ended, or something is refused. The browser shows it.
    if (!answer.ok || !answer.headers.get("Content-Disposition")) return location.assign(link.href);
    const pieces = [];
    let rows = -1, quoted = false, told = 0;
    for (const reader = answer.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      for (const byte of value) {
        if (byte === 34) quoted = !quoted;
        else if (byte === 10 && !quoted) rows += 1;
      }
      if (Date.now() - told > 500) { status.textContent = `${count(Math.max(rows, 0))} rows …`; told = Date.now(); }
    }
    const file = document.createElement("a");
    file.href = URL.createObjectURL(new Blob(pieces, { type: "text/csv" }));
    file.download = answer.headers.get("Content-Disposition").split('"')[1];
    file.click();
    setTimeout(() => URL.revokeObjectURL(file.href), 60_000);
    status.textContent = `${count(rows)} rows, done`;
  };
  link.addEventListener("click", async (event) => {
    if (!window.ReadableStream || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    if (stop) return stop.abort();
    stop = new AbortController();
    link.textContent = "Stop";
    try {
      await follow();
    } catch (error) {
      status.textContent = error.name === "AbortError" ? "Stopped" : "The download broke off; try again";
    }
    link.textContent = name;
    stop = null;
  });
}
