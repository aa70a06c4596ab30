// The whole flow with real parts: relying parties that are not our own, the service with the engine
// inside, and headless Chromium with clips as its camera. A clip cannot reflect the light of a
// screen or follow what it asks, so that these walks ask for no challenge; flash.test.mjs does,
// with a simulated camera.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { barriers, launch } from "./browser.mjs";
import { apache, camera, photo, postgres, proxy, service, shots, stop } from "./parts.mjs";
import * as people from "./person.mjs";

// The clip is a portrait that moves: PAD rightly finds an attack, so that it is told and does not
// decide here.
const policy = {
  challenge: { kinds: [] },
  attempts: { first_delay: "0s" },
  engine: { fmr: 1e-4, pad: "ignore" },
};
const card = photo("specimen-obama.png");
const counted = { walks: 0, times: [] };

let browser, lens, idp, onboarding;
before(async () => {
  await mkdir(shots, { recursive: true });
  lens = await camera();
  browser = await launch(lens.link);
  idp = await service({ policy });
  onboarding = await apache(idp);
});
after(async () => {
  await browser?.close();
  await stop();
  console.log(`${counted.walks} walks; ${counted.times.join("; ")}`);
});

function person(email, options = {}) {
  counted.walks++;
  return people.person(browser, email, { at: idp, ...options });
}

/** To where the document is asked for. */
async function arrive(email, options) {
  const me = await person(email, options);
  await me.visit(onboarding.page);
  await me.identify();
  await me.agree();
  await me.heading("Your identity document");
  return me;
}

const codes = (view) => view.last.reasons.map(({ code }) => code);

test("Apache: email, consent, document, selfie, and the page", async () => {
  await lens.plays("holder");
  const start = performance.now();
  const me = await person("ana@example.com", { phone: true });
  await me.visit(onboarding.page);
  await me.heading("Confirm that it is you");
  await me.identify();
  await me.heading("Before you start");
  assert.deepEqual(await barriers(me.page), []);
  await me.shot("consent");
  await me.agree();
  await me.heading("Your identity document");
  await me.shot("document");
  await me.upload(card);
  const arrived = me.page.waitForResponse(
    (response) => response.url() === onboarding.page && response.status() === 200,
  );
  const view = await me.selfie();
  assert.equal(view.state, "accepted", JSON.stringify(view.last ?? view.error));
  const headers = (await arrived).headers();
  await me.heading(onboarding.heading);
  const whole = performance.now() - start;
  const { frames_us } = view.capture;
  const recorded = (frames_us.at(-1) - frames_us[0]) / 1000;
  const seconds = (ms, digits) => `${(ms / 1000).toFixed(digits)} s`;
  counted.times.push(
    `enrolment ${seconds(whole, 1)}, of which ${seconds(recorded, 1)} were recorded and ` +
      `${seconds(view.tookMs, 2)} went to sending and deciding`,
  );
  assert.match(headers["x-user"], /^ana@example\.com/);
  assert.match(headers["x-claims"], /face/);
  assert.match(headers["x-verified-claims"], /"document"/);
  await me.shot("behind-apache");
  await me.leave();
});

test("Apache, another day: the selfie against the enrolled template, without a \
document", async () => {
  await lens.plays("holder");
  const me = await person("ana@example.com");
  await me.visit(onboarding.page);
  await me.identify();
  await me.heading("Now your selfie"); // what was agreed to still holds
  const view = await me.selfie();
  assert.equal(view.state, "accepted", JSON.stringify(view.last ?? view.error));
  await me.heading(onboarding.heading);
  await me.leave();
});

test("oauth2-proxy and PostgreSQL: the document by the camera", async () => {
  const other = await service({ policy, database: await postgres() });
  const intranet = await proxy(other);
  const me = await person("ana@example.com", { at: other });
  await me.visit(intranet.page);
  await me.identify();
  await me.agree();
  await lens.plays("card");
  await me.photograph();
  await lens.plays("holder");
  const view = await me.selfie();
  assert.equal(view.state, "accepted", JSON.stringify(view.last ?? view.error));
  await me.heading(intranet.heading);
  await me.shot("behind-oauth2-proxy");
  await me.leave();
});

test("the document of another person is refused", async () => {
  await lens.plays("holder");
  const me = await arrive("bo@example.com");
  await me.upload(photo("specimen-biden.png"));
  const view = await me.selfie();
  assert.equal(view.last?.outcome, "reject", JSON.stringify(view.last ?? view.error));
  assert.ok(codes(view).includes("non-match"), codes(view).join());
  await me.heading("The check did not pass");
  assert.deepEqual(await barriers(me.page), []);
  await me.shot("wrong-document");
  await me.leave();
});

test("a clip of another person as the camera is refused", async () => {
  await lens.plays("other");
  const me = await arrive("cy@example.com");
  await me.upload(card);
  const view = await me.selfie();
  assert.equal(view.last?.outcome, "reject", JSON.stringify(view.last ?? view.error));
  assert.ok(codes(view).includes("non-match"), codes(view).join());
  await me.leave();
});

test("a frozen picture as the camera is refused as an injection", async () => {
  await lens.plays("frozen");
  const me = await arrive("di@example.com");
  await me.upload(card);
  const view = await me.selfie();
  assert.equal(view.last?.outcome, "reject", JSON.stringify(view.last ?? view.error));
  assert.ok(
    view.last.reasons.some(
      ({ code, text }) => code === "sequence-manipulated" && /injected/.test(text),
    ),
    JSON.stringify(view.last.reasons),
  );
  await me.shot("frozen");
  await me.leave();
});

test("an upload that was sent before is refused", async () => {
  await lens.plays("other");
  const me = await arrive("ed@example.com");
  await me.upload(card);
  await me.selfie();
  const answer = await me.page.evaluate(async () => {
    const root = location.pathname.replace("/verify/", "/api/transactions/");
    const { csrf } = await (await fetch(root)).json();
    const headers = { "X-CSRF-Token": csrf };
    const { nonce } = await (
      await fetch(`${root}/challenge`, {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json" },
        body: "{}",
      })
    ).json();
    const replay = new FormData();
    const capture = JSON.parse(await window.sent.get("capture").text());
    for (const [name, value] of window.sent)
      replay.append(
        name,
        name === "capture"
          ? new Blob([JSON.stringify({ ...capture, nonce })], { type: "application/json" })
          : value,
      );
    const { began_us, frames_us } = capture;
    const took = (Math.max(began_us, ...frames_us) - Math.min(began_us, ...frames_us)) / 1000;
    // Frames cannot span more time than has passed since the challenge.
    await new Promise((resolve) => setTimeout(resolve, took + 200));
    const replayed = await fetch(`${root}/submit`, { method: "POST", headers, body: replay });
    return { status: replayed.status, ...(await replayed.json()) };
  });
  assert.deepEqual([answer.status, answer.error?.code], [409, "replay"]);
  await me.leave();
});

test("a nonce that ran out is refused, and the page starts the capture again", async () => {
  const hasty = await service({ policy: { ...policy, challenge: { kinds: [], window: "1s" } } });
  const portal = await apache(hasty);
  await lens.plays("holder");
  const me = await person("fay@example.com", { at: hasty });
  await me.visit(portal.page);
  await me.identify();
  await me.agree();
  await me.upload(card);
  const answer = await me.selfie();
  assert.equal(answer.error.code, "nonce-expired");
  await me.heading("Let us try that again");
  await me.button("Go on").click();
  await me.heading("Now your selfie");
  await me.leave();
});

test("a sixth attempt is not to be had", async () => {
  const me = await arrive("gus@example.com");
  await me.upload(card);
  for (let left = 4; left >= 0; left--) {
    await lens.plays("other");
    const view = await me.selfie();
    assert.equal(view.attempts_left, left, JSON.stringify(view.last ?? view.error));
    assert.equal(view.state, left ? "capture" : "refused");
    if (left) {
      await me.heading("The check did not pass");
      await me.button("Take the selfie again").click();
    }
  }
  await me.page.getByText("There are no attempts left.").waitFor();
  assert.deepEqual(await barriers(me.page), []);
  await me.shot("sixth-attempt");
  const status = await me.page.evaluate(async () => {
    const root = location.pathname.replace("/verify/", "/api/transactions/");
    const { csrf } = await (await fetch(root)).json();
    return (
      await fetch(`${root}/challenge`, {
        method: "POST",
        headers: { "X-CSRF-Token": csrf, "Content-Type": "application/json" },
        body: "{}",
      })
    ).status;
  });
  assert.equal(status, 409);
  await me.button("Back to Onboarding portal").click();
  await me.page.waitForURL((url) => url.port === String(idp.parties.apache.port));
  assert.doesNotMatch(await me.page.content(), /Behind Apache/);
  await me.leave();
});

test("who leaves without the check gets no page", async () => {
  const me = await arrive("hal@example.com");
  await me.button("I do not want this").click();
  await me.heading("You left the check");
  await me.button("Back to Onboarding portal").click();
  await me.page.waitForURL((url) => url.port === String(idp.parties.apache.port));
  assert.doesNotMatch(await me.page.content(), /Behind Apache/);
  await me.leave();
});
