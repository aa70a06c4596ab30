// A flash challenge, answered by a simulated camera that reflects the screen, and not answered by
// one that plays a recording. The frames must come in real time, so this walk is for an idle
// machine: `make -C examples/idp walk-flash`.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { apache, camera, photo, service, shots, stop } from "./parts.mjs";
import { person } from "./person.mjs";

let browser;
before(async () => {
  await mkdir(shots, { recursive: true });
  browser = await launch((await camera()).link);
});
after(async () => {
  await browser?.close();
  await stop();
});

test("a flash challenge: a face that reflects the screen passes, a recording that cannot is \
refused", async () => {
  const flashing = await service({
    // A moved portrait is an attack to PAD: only the challenge is tried here.
    policy: {
      challenge: { kinds: ["flash"] },
      attempts: { first_delay: "0s" },
      engine: { fmr: 1e-4, pad: "ignore" },
    },
  });
  const portal = await apache(flashing);
  const answers = [];
  for (const [email, take, reflects] of [
    ["ira@example.com", "holder-1", 0],
    ["joe@example.com", "holder-2", 0.3],
  ]) {
    const me = await person(browser, email, { at: flashing, simulated: { take, reflects } });
    await me.visit(portal.page);
    await me.identify();
    await me.agree();
    await me.upload(photo("specimen-obama.png"));
    answers.push(await me.selfie());
    await me.leave();
  }
  const [recording, reflecting] = answers;
  assert.ok(
    recording.last && recording.last.outcome !== "accept",
    JSON.stringify(recording.last ?? recording.error),
  );
  assert.ok(
    recording.last.reasons.some(({ code }) => /challenge/.test(code)),
    JSON.stringify(recording.last.reasons),
  );
  assert.equal(
    reflecting.last?.outcome,
    "accept",
    JSON.stringify(reflecting.last ?? reflecting.error),
  );
});
