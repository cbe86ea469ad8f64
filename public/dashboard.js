/* What the pages do in the browser beside htmx: times go on, commands are copied, and it shows whether the page is live. */
(() => {
  const units = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1_000, "s"],
  ];

  function ago(ms) {
    if (ms < 2_000) return "now";
    const [size, name] = units.find(([unit]) => ms >= unit);
    return `${Math.floor(ms / size)} ${name} ago`;
  }

  function age(ms) {
    const pad = (value) => String(Math.floor(value)).padStart(2, "0");
    if (ms < 1_000) return `${Math.round(ms / 100) * 100} ms`;
    if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
    if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m ${pad((ms % 60_000) / 1_000)}s`;
    if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)}h ${pad((ms % 3_600_000) / 60_000)}m`;
    return `${Math.floor(ms / 86_400_000)}d ${Math.floor((ms % 86_400_000) / 3_600_000)}h`;
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function tick() {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-ago]")) {
      write(time, ago(Math.max(0, Date.now() - Date.parse(time.dateTime))));
    }
    for (const time of document.querySelectorAll("time[data-since]")) {
      write(time, age(Math.max(0, Date.now() - Date.parse(time.dateTime))));
    }
  }

  function showLive(isLive) {
    const live = document.getElementById("live");
    if (!live) return;
    live.hidden = false;
    live.className = isLive ? "live is-live" : "live is-lost";
    write(live, isLive ? "Live" : "Reconnecting…");
  }

  function offerCopies(root) {
    if (!navigator.clipboard) return;
    for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    write(button, "Copied");
    setTimeout(() => write(button, "Copy"), 1_500);
  });
  document.addEventListener("htmx:sse:after:connection", () => showLive(true));
  document.addEventListener("htmx:sse:error", () => showLive(false));
  document.addEventListener("htmx:sse:before:connection", (event) => {
    if (event.detail.connection.attempt > 0) showLive(false);
  });
  /* Output that grows is followed, unless somebody has scrolled up in it. */
  const held = new WeakSet();
  document.addEventListener(
    "scroll",
    ({ target }) => {
      if (!target.dataset || !("follow" in target.dataset)) return;
      if (target.scrollTop + target.clientHeight < target.scrollHeight - 8) held.add(target);
      else held.delete(target);
    },
    true,
  );
  function follow() {
    for (const output of document.querySelectorAll("[data-follow]")) {
      if (!held.has(output)) output.scrollTop = output.scrollHeight;
    }
  }

  document.addEventListener("htmx:after:swap", () => {
    offerCopies(document);
    follow();
  });
  offerCopies(document);
  setInterval(tick, 1_000);
})();
