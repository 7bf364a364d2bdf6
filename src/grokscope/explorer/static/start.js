// Begins: reads what the page holds, and follows a training that still runs.

/** Takes new snapshots of a training that runs, and goes along where the last one was shown. */
async function follow(page) {
  const { shared, source } = page;
  if (shared.status !== "running") return;
  await new Promise((done) => setTimeout(done, 4000));
  const now = await source.overview().catch(() => null);
  if (now && JSON.stringify(now) !== page.known) {
    page.known = JSON.stringify(now);
    const atEnd = page.state.step === shared.steps.at(-1);
    Object.assign(shared, now);
    for (const each of page.curves) each.drawn = "";
    page.slider.max = Math.max(0, shared.steps.length - 1);
    if (atEnd && shared.steps.length) await page.choose({ step: shared.steps.at(-1) });
    else if (page.frame) page.draw(page.frame);
  }
  follow(page);
}

/** Asks for all snapshots, one after the other, so that they are there when they are wanted. */
async function fetchAhead(page) {
  for (const step of page.shared.steps) await page.source.frame(step).catch(() => null);
  document.documentElement.dataset.fetched = "all";
}

(async () => {
  const shared = parsed("shared");
  const frames = parsed("frames");
  const source = frames ? new EmbeddedSource(frames) : new ServedSource(parsed("query"));
  const page = new TimePage(shared, source, parsed("palette"));
  page.state.step = page.nearest(page.state.step) ?? 0;
  fitInto(window.frameElement);
  page.showState();
  if (shared.steps.length) {
    await page.show();
    fetchAhead(page);
  } else {
    page.say("No snapshot has been saved yet.");
    for (const each of page.curves) each.show(null, page.state);
    for (const name of SNAPSHOT_FIGURES) page.figures[name].miss("No snapshot has been saved yet.");
  }
  if (!frames) follow(page);
})();
