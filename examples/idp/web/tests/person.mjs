// A person before a browser with a fake camera, who does what the page says.

import assert from "node:assert/strict";
import { clip, mailedCode, shots } from "./parts.mjs";
import { simulate } from "./simulated.mjs";

const face = [0.487, 0.389, 0.184]; // HOLDER in the Makefile

/**
 * `at` is the service; `simulated`, a take and how much of the screen's light it reflects, puts a
 * simulated camera in the place of the browser's.
 */
export async function person(browser, email, { at, phone = false, simulated } = {}) {
  const context = await browser.newContext(
    phone
      ? {
          viewport: { width: 390, height: 844 },
          deviceScaleFactor: 2,
          isMobile: true,
          hasTouch: true,
        }
      : { viewport: { width: 1100, height: 900 } },
  );
  await context.grantPermissions(["camera"], { origin: at.issuer });
  if (simulated)
    await simulate(context, clip(simulated.take), { reflects: simulated.reflects, face });
  // An accepted page leaves at once, and the browser drops the answer with it: so the page's own
  // request tells it, before the page hears of it.
  let judged;
  await context.exposeFunction("judged", (answer, capture, tookMs) =>
    judged?.({ ...JSON.parse(answer), capture: JSON.parse(capture), tookMs }),
  );
  await context.addInitScript(() => {
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function (body) {
      const [start, capture, { onload }] = [performance.now(), body.get("capture").text(), this];
      window.sent = body;
      this.onload = async (event) => {
        await window.judged(this.responseText, await capture, performance.now() - start);
        onload.call(this, event);
      };
      send.call(this, body);
    };
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on(
    "console",
    (message) =>
      /Content Security Policy|Refused to/.test(message.text()) && faults.push(message.text()),
  );
  const button = (name) => page.getByRole("button", { name });
  const heading = (name) => page.getByRole("heading", { name, level: 1 }).waitFor();
  const me = {
    page,
    button,
    heading,
    async visit(url) {
      await page.goto(url);
    },
    async identify() {
      await page.getByLabel("Work email").fill(email);
      await button("Continue").click();
      await heading("Look into your mail");
      await page.getByLabel("Code").fill(await mailedCode(at.outbox, email));
      await button("Continue").click();
    },
    async agree() {
      await button("I agree, continue").click();
    },
    async upload(file) {
      await page.getByLabel("Choose a file").setInputFiles(file);
      await button("Use this photo").click();
    },
    async photograph() {
      await button("Use the camera").click();
      await button("Take the photo").click();
      await button("Use this photo").click();
    },
    /**
     * Takes the selfie; resolves with the service's answer, and with what was sent as `capture` and
     * how long it took as `tookMs`.
     */
    async selfie() {
      const answer = new Promise((resolve, reject) => {
        judged = resolve;
        setTimeout(
          () => reject(new Error(`no answer to a selfie within a minute, at ${page.url()}`)),
          60_000,
        ).unref();
      });
      await button("Open the camera").click();
      // Where the guidance finds the face not well in the picture, a person starts by hand, and
      // tries again where the page is slow.
      let answered = false;
      const startByHand = async () => {
        while (!answered)
          await button("Start now")
            .click({ timeout: 1000 })
            .catch(() => {});
      };
      const impatience = setTimeout(startByHand, 6000);
      return answer.finally(() => {
        answered = true;
        clearTimeout(impatience);
      });
    },
    async shot(name) {
      await page.screenshot({ path: `${shots}/walk-${name}.png` });
    },
    async leave() {
      assert.deepEqual(faults, []);
      await context.close();
    },
  };
  return me;
}
