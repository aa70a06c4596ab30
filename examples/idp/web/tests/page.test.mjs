// The capture page by itself: every state and every refusal, against a scripted service.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { barriers, launch } from "./browser.mjs";
import { challenge, origin, refusal, script, view } from "./scripted.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const reasons = [
  { code: "too-dark", text: "There was too little light on your face.", do: "retry-selfie" },
];
const last = {
  outcome: "inconclusive",
  reasons,
  receipt: "sha-256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
};
const capture = view({ state: "capture", document_required: false, purpose: "verify" });
const enrol = view({ state: "capture" });
const watching = { code: "no-face", text: "No face in the picture", face: null };
const still = challenge(null);

/**
 * Opens the page with the answers; the test fails when the page logs an error that was not
 * expected, or asks anybody else.
 */
async function open(answers, { context = {}, denied = false, expected = /^$/, state } = {}) {
  const own = await browser.newContext({ viewport: { width: 390, height: 844 }, ...context });
  if (!denied) await own.grantPermissions(["camera"], { origin });
  const page = await own.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on(
    "console",
    (message) =>
      message.type() === "error" && !expected.test(message.text()) && faults.push(message.text()),
  );
  page.on(
    "request",
    (request) =>
      !/^(blob|data):/.test(request.url()) &&
      !request.url().startsWith(origin) &&
      faults.push(`asked ${request.url()}`),
  );
  const asked = await script(page, answers);
  await page.goto(`${origin}/verify/t1`);
  await page.waitForSelector("h1");
  const close = async () => {
    await own.close();
    assert.deepEqual(faults, []);
  };
  return { page, asked, close, heading: () => page.locator("h1").textContent() };
}

const answered = /status of [45]\d\d|Failed to load resource/;

const states = {
  email: { "GET /": view() },
  "email locked": { "GET /": view({ email: "ana@example.com", email_locked: true }) },
  code: { "GET /": view({ state: "code", email: "ana@example.com" }) },
  consent: { "GET /": view({ state: "consent" }) },
  document: { "GET /": enrol },
  selfie: { "GET /": capture },
  "another attempt": {
    "GET /": {
      ...enrol,
      last,
      attempts_left: 2,
      retry_at: new Date(Date.now() + 90_000).toISOString(),
    },
  },
  accepted: { "GET /": view({ state: "accepted" }) },
  refused: {
    "GET /": view({
      state: "refused",
      attempts_left: 0,
      redirect: `${origin}/verify/t2`,
      last: { ...last, outcome: "reject" },
    }),
  },
  declined: { "GET /": view({ state: "refused", redirect: `${origin}/verify/t2` }) },
  expired: { "GET /": view({ state: "expired", redirect: `${origin}/verify/t2` }) },
  "another browser": {
    "GET /": refusal(403, "no-session", "This check belongs to another browser.", "stop"),
  },
  busy: {
    "GET /": refusal(503, "busy", "Many people are being checked right now.", "wait", {
      "Retry-After": "30",
    }),
  },
  unreachable: { "GET /": "abort" },
};

describe("states", { concurrency: 2 }, () => {
  for (const [name, answers] of Object.entries(states))
    test(`${name}: no barrier, nothing cut off, the heading has the focus`, async () => {
      const { page, close } = await open(answers, {
        context: { viewport: { width: 320, height: 568 } },
        expected: answered,
      });
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
      for (const [colorScheme, size] of [
        ["light", page.viewportSize()],
        ["dark", { width: 1280, height: 800 }],
      ]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(size);
        assert.deepEqual(await barriers(page), []);
        assert.ok(
          await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
          "the page is wider than the screen",
        );
      }
      await close();
    });
});

test("the way by keyboard: email, code, consent, document, selfie, and back to the \
relying party", async () => {
  const { page, asked, close, heading } = await open({
    "GET /": view(),
    "POST /email": view({ state: "code", email: "ana@example.com" }),
    "POST /code": view({ state: "consent" }),
    "POST /consent": enrol,
    "POST /guidance": watching,
    "POST /challenge": still,
    "POST /submit": view({ state: "accepted", redirect: `${origin}/verify/t1?back` }),
  });
  const press = async (name) => {
    await page
      .locator(":is(button, label, input):focus")
      .or(page.locator("h1:focus"))
      .first()
      .waitFor();
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(
        () =>
          document.activeElement?.textContent ||
          document.querySelector(`label[for="${document.activeElement?.id}"]`)?.textContent,
      );
      if (at?.trim() === name) return;
    }
    assert.fail(`${name} cannot be reached by Tab`);
  };
  await press("Work email");
  await page.keyboard.type("ana@example.com");
  await page.keyboard.press("Enter");
  await page.waitForSelector("input.code");
  await press("Code");
  await page.keyboard.type("123456");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "What is not kept" }).waitFor();
  await press("I agree, continue");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your identity document" }).waitFor();
  await press("Use the camera");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Take the photo" }).waitFor();
  assert.deepEqual(await barriers(page), []);
  await page.keyboard.press("Enter");
  await page.getByRole("img", { name: "The photo of your document" }).waitFor();
  assert.deepEqual(await barriers(page), []);
  await press("Use this photo");
  await page.keyboard.press("Enter");
  await press("Open the camera");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Start now" }).waitFor();
  assert.deepEqual(await barriers(page), []);
  await press("Start now");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${origin}/verify/t1?back`);
  const posts = asked.filter(({ call }) => call.startsWith("POST"));
  assert.deepEqual(
    posts.filter(({ headers }) => headers["x-csrf-token"] !== "token"),
    [],
  );
  assert.deepEqual(
    posts.map(({ call }) => call).filter((call) => call !== "POST /guidance"),
    ["POST /email", "POST /code", "POST /consent", "POST /challenge", "POST /submit"],
  );
  assert.equal(JSON.parse(posts[0].body).email, "ana@example.com");
  assert.match(
    posts.at(-1).body.toString("latin1"),
    /name="document"; filename="document"\r\nContent-Type: image\/jpeg/,
  );
  await close();
});

/** The parts of a submission: what stands in "capture", and the sizes of the frames. */
async function parts(page, { body, headers }) {
  return page.evaluate(
    async ([bytes, type]) => {
      const form = await new Response(
        Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)),
        { headers: { "Content-Type": type } },
      ).formData();
      const sizes = [];
      for (const frame of form.getAll("frame")) {
        const picture = await createImageBitmap(frame);
        sizes.push([picture.width, picture.height, frame.type, frame.size]);
      }
      return {
        order: [...form.keys()],
        capture: JSON.parse(await form.get("capture").text()),
        sizes,
      };
    },
    [body.toString("base64"), headers["content-type"]],
  );
}

test("a challenge is shown in time, over the whole screen, said to a screen reader, and \
recorded", async () => {
  const steps = [
    { kind: "flash", start_ms: 0, duration_ms: 400, colour: "#ff0000" },
    { kind: "flash", start_ms: 400, duration_ms: 400, colour: "#00ff00" },
    { kind: "head-turn", start_ms: 1000, duration_ms: 800, towards: "left" },
    { kind: "blink", start_ms: 1800, duration_ms: 600, times: 2 },
  ];
  const { page, asked, close } = await open({
    "GET /": capture,
    "POST /guidance": watching,
    "POST /challenge": challenge({
      kinds: ["flash", "head-turn", "blink"],
      duration_ms: 2400,
      steps,
    }),
    "POST /submit": { ...capture, last },
  });
  await page.evaluate(() => {
    window.seen = [];
    window.paints = [];
    const paint = (at) => (window.paints.push(at), requestAnimationFrame(paint));
    requestAnimationFrame(paint);
    const note = () => {
      const overlay = document.querySelector(".challenge");
      if (!overlay) return;
      const box = overlay.getBoundingClientRect();
      const now = {
        at: performance.now(),
        painted: window.paints.length,
        colour: getComputedStyle(overlay).backgroundColor,
        towards: overlay.dataset.towards ?? "",
        said: document.getElementById("assertive").textContent,
        whole: box.width === innerWidth && box.height === innerHeight,
      };
      const before = window.seen.at(-1);
      if (
        !before ||
        before.colour !== now.colour ||
        before.towards !== now.towards ||
        before.said !== now.said
      )
        window.seen.push(now);
    };
    new MutationObserver(note).observe(document.body, {
      attributes: true,
      childList: true,
      subtree: true,
    });
  });
  await page.getByRole("button", { name: "Open the camera" }).click();
  await page.getByRole("button", { name: "Start now" }).click();
  await page.getByRole("heading", { name: "We could not tell yet" }).waitFor();

  const {
    order,
    capture: sent,
    sizes,
  } = await parts(
    page,
    asked.find(({ call }) => call === "POST /submit"),
  );
  assert.equal(order[0], "capture");
  assert.equal(sent.nonce, still.nonce);
  assert.equal(sent.frames_us.length, sizes.length);
  assert.ok(sizes.length >= 8 && sizes.length <= 48, `${sizes.length} frames`);
  assert.ok(
    sizes.every(
      ([width, height, type, bytes]) =>
        Math.max(width, height) === 640 && type === "image/jpeg" && bytes <= 400000,
    ),
  );
  assert.ok(
    sent.frames_us.every((at, i) => i === 0 || at > sent.frames_us[i - 1]),
    "the timestamps do not grow",
  );
  assert.ok(
    sent.frames_us[0] < sent.began_us && sent.frames_us.at(-1) > sent.began_us + 2.2e6,
    "the recording does not cover the challenge",
  );

  const seen = await page.evaluate(() => window.seen);
  assert.ok(
    seen.every(({ whole }) => whole),
    "the challenge does not cover the screen",
  );
  // In time is at the first picture of the screen from the moment on, however busy the machine is.
  const paints = await page.evaluate(() => window.paints);
  const inTime = (moment, start) => {
    const due = sent.began_us / 1000 + start;
    assert.ok(
      moment.at >= due - 1 &&
        paints.slice(0, moment.painted).filter((at) => at >= due + 1).length <= 1,
      `shown ${moment.at - due} ms late`,
    );
  };
  inTime(
    seen.find(({ colour }) => colour === "rgb(255, 0, 0)"),
    0,
  );
  inTime(
    seen.find(({ colour }) => colour === "rgb(0, 255, 0)"),
    400,
  );
  inTime(
    seen.find(({ towards }) => towards === "left"),
    1000,
  );
  const said = seen.map(({ said }) => said).filter((text, i, all) => text !== all[i - 1]);
  assert.deepEqual(said.filter(Boolean), [
    "Look here and hold still",
    "Turn your head to your left",
    "Blink twice",
    "Look here and hold still",
  ]);
  await close();
});

test("the recording starts by itself once the guidance says that the face is well in the \
picture", async () => {
  const { page, asked, close } = await open({
    "GET /": capture,
    "POST /guidance": { code: "ready", text: "Hold still", face: null },
    "POST /challenge": still,
    "POST /submit": { ...capture, last },
  });
  await page.getByRole("button", { name: "Open the camera" }).click();
  await page.getByRole("heading", { name: "We could not tell yet" }).waitFor();
  assert.ok(asked.filter(({ call }) => call === "POST /guidance").length >= 2);
  await close();
});

test("without guidance the capture goes on", async () => {
  const { page, close } = await open(
    {
      "GET /": capture,
      "POST /guidance": refusal(503, "busy", "Busy", "wait", { "Retry-After": "1" }),
      "POST /challenge": still,
      "POST /submit": { ...capture, last },
    },
    { expected: answered },
  );
  await page.getByRole("button", { name: "Open the camera" }).click();
  await page.getByRole("button", { name: "Start now" }).click();
  await page.getByRole("heading", { name: "We could not tell yet" }).waitFor();
  await close();
});

test("flashing colours can be left out, and are where the system asks for less \
motion", async () => {
  for (const context of [{ reducedMotion: "reduce" }, {}]) {
    const { page, asked, close } = await open(
      {
        "GET /": capture,
        "POST /guidance": watching,
        "POST /challenge": refusal(
          403,
          "challenge-required",
          "The colours cannot be left out here.",
          "fix",
        ),
      },
      { context, expected: answered },
    );
    const box = page.getByRole("checkbox", { name: "No flashing colours" });
    assert.equal(await box.isChecked(), !!context.reducedMotion);
    await box.check();
    await page.getByRole("button", { name: "Open the camera" }).click();
    await page.getByRole("button", { name: "Start now" }).click();
    await page.getByText("The colours cannot be left out here.").waitFor();
    assert.deepEqual(JSON.parse(asked.find(({ call }) => call === "POST /challenge").body), {
      without: ["flash"],
    });
    await close();
  }
});

test("Escape stops the recording: nothing is sent, and the camera is off", async () => {
  const { page, asked, close } = await open({
    "GET /": capture,
    "POST /guidance": watching,
    "POST /challenge": challenge({ kinds: [], duration_ms: 8000, steps: [] }),
  });
  await page.getByRole("button", { name: "Open the camera" }).click();
  const track = await page.waitForFunction(
    () => document.querySelector("video")?.srcObject?.getTracks()[0],
  );
  await page.getByRole("button", { name: "Start now" }).click();
  await page.waitForSelector(".challenge");
  assert.deepEqual(await barriers(page), []);
  await page.keyboard.press("Escape");
  await page.getByText("You stopped the recording. Nothing was sent.").waitFor();
  assert.equal(await track.evaluate(({ readyState }) => readyState), "ended");
  assert.equal(
    asked.some(({ call }) => call === "POST /submit"),
    false,
  );
  await close();
});

const submitted = {
  "a nonce that ran out": [
    refusal(410, "nonce-expired", "The time for this recording ran out.", "restart-capture"),
    "Let us try that again",
  ],
  "a replay": [
    refusal(409, "replay", "These pictures were sent before.", "restart-capture"),
    "Let us try that again",
  ],
  "too many bytes": [
    refusal(413, "too-large", "The pictures are too large.", "fix"),
    "Let us try that again",
  ],
  "an attempt too early": [
    refusal(429, "too-many-attempts", "Too many attempts.", "wait", { "Retry-After": "60" }),
    "A little patience",
  ],
  "the end of the transaction": [
    refusal(410, "expired", "The time ran out.", "stop"),
    "This check is over",
  ],
  "no answer": ["abort", "That did not work"],
  "an answer of a proxy": [{ status: 502, body: "<html>Bad gateway</html>" }, "That did not work"],
};

describe("submissions", { concurrency: 4 }, () => {
  for (const [name, [answer, title]] of Object.entries(submitted))
    test(`${name} is told with what to do`, async () => {
      const { page, close } = await open(
        {
          "GET /": capture,
          "POST /guidance": watching,
          "POST /challenge": still,
          "POST /submit": answer,
        },
        { expected: answered },
      );
      await page.getByRole("button", { name: "Open the camera" }).click();
      await page.getByRole("button", { name: "Start now" }).click();
      await page.getByRole("heading", { name: title }).waitFor();
      assert.deepEqual(await barriers(page), []);
      await close();
    });
});

test("a stale CSRF token loads the view again", async () => {
  let asked = 0;
  const { page, close } = await open(
    {
      "GET /": () => view({ state: "consent", csrf: `token${asked++}` }),
      "POST /consent": ({ headers }) =>
        headers["x-csrf-token"] === "token1" ? capture : refusal(403, "csrf", "Stale", "reload"),
    },
    { expected: answered },
  );
  await page.getByRole("button", { name: "I agree, continue" }).click();
  await page.waitForFunction(() => document.querySelector("main button.primary:not(:disabled)"));
  await page.getByRole("button", { name: "I agree, continue" }).click();
  await page.getByRole("heading", { name: "Now your selfie" }).waitFor();
  await close();
});

test("what the person can mend is told beside the field", async () => {
  const { page, asked, close } = await open(
    {
      "GET /": view(),
      "POST /email": refusal(400, "bad-request", "This address has no mailbox.", "fix"),
    },
    { expected: answered },
  );
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("Type your whole work email").waitFor();
  assert.equal(asked.length, 1);
  await page.getByLabel("Work email").fill("ana@example.com");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("This address has no mailbox.").waitFor();
  assert.equal(await page.getByLabel("Work email").getAttribute("aria-invalid"), "true");
  assert.deepEqual(await barriers(page), []);
  await close();
});

test("a camera that is denied says how to allow it; for the document a file is \
offered", async () => {
  for (const [answer, button] of [
    [capture, "Open the camera"],
    [enrol, "Use the camera"],
  ]) {
    const { page, close } = await open({ "GET /": answer }, { denied: true });
    const session = await page.context().newCDPSession(page);
    await session.send("Browser.setPermission", {
      permission: { name: "camera" },
      setting: "denied",
      origin,
    });
    await page.getByRole("button", { name: button }).click();
    await page.getByText("The camera is blocked for this page. Allow it").waitFor();
    if (answer === enrol) await page.getByText("You can also choose a file.").waitFor();
    await close();
  }
});

test("a file that is no picture, or too small, is refused on the page; of any other only the \
picture is sent", async () => {
  const { page, asked, close } = await open({
    "GET /": enrol,
    "POST /guidance": watching,
    "POST /challenge": still,
    "POST /submit": { ...enrol, last },
  });
  const choose = (name, mimeType, buffer) =>
    page.getByLabel("Choose a file").setInputFiles({ name, mimeType, buffer });
  const drawn = async (side, type) =>
    Buffer.from(
      await page.evaluate(
        async ([side, type]) => {
          const canvas = new OffscreenCanvas(side, side);
          canvas.getContext("2d").fillRect(0, 0, side / 2, side);
          return Array.from(
            new Uint8Array(await (await canvas.convertToBlob({ type })).arrayBuffer()),
          );
        },
        [side, type],
      ),
    );
  await choose("letter.jpg", "image/jpeg", Buffer.from("%PDF-1.7 no picture"));
  await page.getByText("This file is not a picture that can be read.").waitFor();
  await choose("stamp.png", "image/png", await drawn(64, "image/png"));
  await page.getByText("only 64 by 64 pixels").waitFor();
  // As a phone writes it: a clip behind the picture, which the service would refuse.
  await choose(
    "phone.jpg",
    "image/jpeg",
    Buffer.concat([await drawn(400, "image/jpeg"), Buffer.from("MotionPhoto_Data and a clip")]),
  );
  await page.getByRole("button", { name: "Use this photo" }).click();
  await page.getByRole("button", { name: "Open the camera" }).click();
  await page.getByRole("button", { name: "Start now" }).click();
  await page.getByRole("heading", { name: "We could not tell yet" }).waitFor();
  const sent = asked.find(({ call }) => call === "POST /submit").body.toString("latin1");
  assert.match(
    sent,
    /name="document"; filename="document"\r\nContent-Type: image\/jpeg\r\n\r\n\xff\xd8/,
  );
  assert.match(sent, /\xff\xd9\r\n--[^\r]+--\r\n$/);
  assert.doesNotMatch(sent, /MotionPhoto/);
  await close();
});

test("an attempt that must wait counts down, and the button comes back", async () => {
  const { page, close } = await open({
    "GET /": () => ({
      ...capture,
      last,
      attempts_left: 1,
      retry_at: new Date(Date.now() + 5000).toISOString(),
    }),
  });
  const again = page.getByRole("button", { name: "Take the selfie again" });
  assert.equal(await again.isDisabled(), true);
  await page.getByText("You have one attempt left.").waitFor();
  await page.waitForFunction(() => !document.querySelector("main button.primary").disabled);
  await again.click();
  await page.getByRole("heading", { name: "Now your selfie" }).waitFor();
  await close();
});
