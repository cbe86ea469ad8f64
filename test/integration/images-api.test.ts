import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { FakeRegistry, imageOf, sha256 } from "../support/fake-registry.ts";
import { busyboxLayout, noRegistry, startRegistry } from "../support/fixtures.ts";
import { BUSYBOX, PYTHON, startTestService, type TestService } from "../support/service.ts";

const app = imageOf([{ a: "1" }, { b: "x".repeat(50_000) }], { created: "2024-05-06T07:08:09Z" });
const top = sha256(app.layers[1] ?? "");

interface Event {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came over the wire, whatever it is
  data: any;
}

describe("the images of a service", () => {
  let registry: FakeRegistry;
  let service: TestService;
  let name = "";
  before(async () => {
    registry = await FakeRegistry.start();
    registry.addImage("team/app", app, "v1", "v2");
    name = `${registry.host}/team/app:v1`;
    service = await startTestService({ image_deny: ["**/forbidden/**"] });
  });
  afterEach(async () => {
    registry.behave = () => false;
    await remove(app.digest);
  });
  after(async () => {
    await service?.stop();
    await registry?.stop();
  });

  const post = (path: string, body: object | undefined, init: RequestInit & { accept?: string } = {}) => {
    const { accept = "*/*", ...rest } = init;
    const headers = { accept, ...(body && { "content-type": "application/json" }) };
    return service.fetch(path, {
      method: "POST",
      headers,
      ...(body && { body: JSON.stringify(body) }),
      ...rest,
    });
  };
  const pull = (image: string) => post("/images/pull", { image });
  const stream = (image: string, init: RequestInit = {}) =>
    post("/images/pull", { image }, { accept: "text/event-stream", ...init });
  const remove = (reference: string) =>
    service.fetch(`/images?reference=${encodeURIComponent(reference)}`, { method: "DELETE" });
  const list = async () => await (await service.fetch("/images")).json();
  const find = async (digest: string) =>
    (await list()).images.find((image: { digest: string }) => image.digest === digest);
  const errorOf = async (response: Response) => [response.status, (await response.json()).code];
  /** Lets the uppermost layer through only once `open` is called. */
  const gate = () => {
    const reached = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    registry.behave = async ({ path }, response) => {
      if (!path.endsWith(top)) return false;
      response.on("close", () => closed.resolve());
      reached.resolve();
      await opened.promise;
      return response.destroyed;
    };
    return { open: opened.resolve, reached: reached.promise, closed: closed.promise };
  };

  it("are listed with size, times, use and names", async () => {
    await service.run({ cmd: ["true"] });
    const { images, pulls, size_bytes, quota_bytes } = await list();
    const names = images.map(
      ({ references }: { references: { reference: string }[] }) => references[0]?.reference,
    );
    assert.deepEqual(names.toSorted(), [BUSYBOX, PYTHON]);
    assert.deepEqual(pulls, []);
    assert.ok(size_bytes > 0 && quota_bytes > size_bytes);
    const busybox = images[names.indexOf(BUSYBOX)];
    assert.ok(busybox.uses >= 1 && busybox.layers >= 1 && busybox.references[0].imported);
    for (const time of [busybox.pulled_at, busybox.last_used_at]) {
      assert.equal(new Date(time).toISOString(), time);
    }
  });

  it("are pulled, and the answer is the image", async () => {
    const response = await pull(name);
    const image = await response.json();
    assert.equal(response.status, 200, JSON.stringify(image));
    assert.deepEqual(
      [image.digest, image.references[0].reference, image.layers, image.created],
      [app.digest, name, 2, "2024-05-06T07:08:09.000Z"],
    );
    const { in_use, ...listed } = await find(app.digest);
    assert.deepEqual([in_use, listed.digest], [0, app.digest]);
    registry.seen.length = 0;
    assert.equal((await pull(name)).status, 200);
    assert.ok(registry.count("HEAD", "/manifests/v1") === 1, "a pull asks the registry each time");
  });

  it("are pulled with progress as events, one line each, and the image at the end", async () => {
    const { open, reached } = gate();
    const response = await stream(name);
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    const events = readEvents(response);
    const first = (await events.next()).value as Event;
    assert.deepEqual([first.event, first.data.reference], ["progress", name]);
    await reached;
    const { pulls } = await list();
    assert.deepEqual([pulls.length, pulls[0].reference, pulls[0].layers.length], [1, name, 2]);
    open();
    let last: Event = first;
    for await (const event of events) last = event;
    assert.deepEqual([last.event, last.data.digest], ["done", app.digest]);
    assert.deepEqual((await list()).pulls, []);
  });

  it("are shared by concurrent pulls and runs: one download", async () => {
    registry.seen.length = 0;
    const other = name.replace("v1", "v2");
    const responses = await Promise.all([pull(name), stream(name), pull(other), stream(other)]);
    for (const response of responses) assert.match(await response.text(), new RegExp(app.digest));
    assert.equal(registry.count("GET", top), 1);
  });

  it("stop being pulled when the only client has gone", async () => {
    const { reached, closed, open } = gate();
    const client = new AbortController();
    const response = await stream(name, { signal: client.signal });
    await reached;
    client.abort();
    await response.text().catch(() => {});
    await closed;
    open();
    while ((await list()).pulls.length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(await find(app.digest), undefined);
  });

  it("go on being pulled for those who stay", async () => {
    const { reached, open } = gate();
    const client = new AbortController();
    const [leaving, staying] = [await stream(name, { signal: client.signal }), pull(name)];
    await reached;
    client.abort();
    await leaving.text().catch(() => {});
    open();
    assert.equal((await staying).status, 200);
  });

  it("that cannot be had are refused before there is a stream, else at its end", async () => {
    const headers = { accept: "text/event-stream" };
    for (const accept of ["*/*", headers.accept]) {
      const refused = async (image: string) =>
        await errorOf(await post("/images/pull", { image }, { accept }));
      assert.deepEqual(await refused("A B"), [400, "invalid_image_reference"]);
      assert.deepEqual(await refused("local/nosuch:1"), [500, "image_not_found"]);
      assert.deepEqual(await refused(`${registry.host}/forbidden/x:1`), [403, "image_not_allowed"]);
    }
    assert.deepEqual(await errorOf(await pull(`${registry.host}/team/app:nosuch`)), [500, "image_not_found"]);
    const events: Event[] = [];
    for await (const event of readEvents(await stream(`${registry.host}/team/app:nosuch`)))
      events.push(event);
    const last = events.at(-1);
    assert.deepEqual([last?.event, last?.data.code], ["failed", "image_not_found"]);
    assert.match(last?.data.error, /MANIFEST_UNKNOWN/);
  });

  it("that are denied are not run either, and the rule is named", async () => {
    const seen = registry.seen.length;
    const { status, body } = await service.run({ image: `${registry.host}/forbidden/x:1`, cmd: ["true"] });
    assert.deepEqual([status, body.code, body.field], [403, "image_not_allowed", "image"]);
    assert.match(body.error, /image_deny has "\*\*\/forbidden\/\*\*"/);
    assert.equal(registry.seen.length, seen);
  });

  it("are removed by name, with slashes and all, and by digest", async () => {
    for (const reference of [name, app.digest]) {
      await pull(name);
      assert.equal((await remove(reference)).status, 204);
      assert.deepEqual(await errorOf(await remove(reference)), [404, "not_found"]);
    }
    assert.deepEqual(await errorOf(await remove("A B")), [400, "invalid_image_reference"]);
    const bare = await service.fetch("/images", { method: "DELETE" });
    assert.deepEqual(await errorOf(bare), [400, "invalid_request"]);
  });

  it("that nobody uses are pruned, but for imported ones", async () => {
    await pull(name);
    const { size_bytes } = await find(app.digest);
    const kept = await (await post("/images/prune", { unused_for_secs: 3600 })).json();
    assert.deepEqual(kept, { removed: [], freed_bytes: 0 });
    const response = await post("/images/prune", undefined);
    assert.deepEqual(await response.json(), {
      removed: [{ digest: app.digest, references: [name], size_bytes }],
      freed_bytes: size_bytes,
    });
    assert.equal((await list()).images.length, 2);
  });

  it("take only bodies that they know", async () => {
    assert.deepEqual(await errorOf(await post("/images/pull", {})), [400, "invalid_request"]);
    assert.deepEqual(await errorOf(await post("/images/pull", { image: "x", platform: "y" })), [
      400,
      "invalid_request",
    ]);
    assert.deepEqual(await errorOf(await post("/images/prune", { unused_for_secs: -1 })), [
      400,
      "invalid_request",
    ]);
    assert.deepEqual(await errorOf(await post("/images/prune", { force: true })), [400, "invalid_request"]);
    const text = await service.fetch("/images/prune", { method: "POST", body: "{}" });
    assert.deepEqual(await errorOf(text), [415, "unsupported_media_type"]);
  });

  it("in use are neither removed nor pruned", async () => {
    const run = service.run({ cmd: ["sleep", "60"] });
    const isRunning = async () =>
      (await list()).images.some(
        ({ in_use, references }: { in_use: number; references: { reference: string }[] }) =>
          in_use === 1 && references[0]?.reference === BUSYBOX,
      );
    while (!(await isRunning())) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(await errorOf(await remove(BUSYBOX)), [409, "image_in_use"]);
    const { removed } = await (await post("/images/prune", { all: true })).json();
    assert.deepEqual(
      removed.map(({ references }: { references: string[] }) => references),
      [[PYTHON]],
    );
    for (const { exec_id } of service.runner.active()) service.runner.stop(exec_id);
    assert.equal((await run).body.status, "canceled");
  });
});

describe("a service that goes down", () => {
  it("tells those who wait for a pull, and does not wait for it", async () => {
    const registry = await FakeRegistry.start();
    const service = await startTestService();
    try {
      registry.addImage("team/app", app, "v1");
      registry.behave = ({ path }) => path.endsWith(top);
      const headers = { "content-type": "application/json", accept: "text/event-stream" };
      const body = JSON.stringify({ image: `${registry.host}/team/app:v1` });
      const events = readEvents(await service.fetch("/images/pull", { method: "POST", headers, body }));
      await events.next();
      const stopped = service.stop();
      let last: Event | undefined;
      for await (const event of events) last = event;
      assert.deepEqual([last?.event, last?.data.code], ["failed", "draining"]);
      await stopped;
    } finally {
      await registry.stop();
    }
  });
});

describe("images to be pre-pulled", { skip: noRegistry }, () => {
  it("are there without a run, a missing one harms nobody, and prune keeps them", async () => {
    const registry = await startRegistry();
    let service: TestService | undefined;
    try {
      await registry.push(busyboxLayout, "some/busybox:1");
      const image = `${registry.host}/some/busybox:1`;
      service = await startTestService({ images_prepull: [`${registry.host}/no/such:1`, image] });
      assert.equal((await service.fetch("/readyz")).status, 200);
      const isHere = async () =>
        JSON.stringify(await (await service?.fetch("/images"))?.json()).includes(image);
      while (!(await isHere())) await new Promise((resolve) => setTimeout(resolve, 20));
      await service.fetch("/images/prune", { method: "POST" });
      assert.ok(await isHere());
    } finally {
      await service?.stop();
      await registry.stop();
    }
  });
});

/** The events of a stream as they come; comments are passed over. */
async function* readEvents(response: Response): AsyncGenerator<Event> {
  assert.ok(response.body);
  let text = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const match = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end));
      text = text.slice(end + 2);
      if (match?.[1]) yield { event: match[1], data: JSON.parse(match[2] ?? "") };
    }
  }
}
