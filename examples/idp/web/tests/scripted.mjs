// The page against a scripted service: every state and every refusal, without an engine.

import { readFile } from "node:fs/promises";

export const origin = "http://127.0.0.1:9";
const dist = new URL("../dist/", import.meta.url);
const types = {
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
};

// The policy that the service sends with the page.
export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
  "media-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

export const view = (changes = {}) => ({
  id: "t1",
  state: "email",
  csrf: "token",
  client: "Onboarding portal",
  organisation: "Example Ltd",
  email: null,
  email_locked: false,
  purpose: "enrol",
  document_required: true,
  expires_at: new Date(Date.now() + 15 * 60_000).toISOString(),
  attempts_left: 5,
  retry_at: null,
  consent: {
    version: "1",
    controller: "Example Ltd, 1 Example Street, Exampleton",
    contact: "privacy@example.com",
    purpose:
      "Example Ltd checks that a real person is here, and that it is the person of the identity " +
      "document, before the Onboarding portal opens.",
    kept: [
      "A template of your face: numbers that a later selfie can be compared with, encrypted.",
      "A signed receipt: the scores and reasons of the check, and the time.",
      "Your email address.",
    ],
    not_kept: [
      "Your selfie and its video.",
      "The photo of your document, and what is printed on it.",
    ],
    retention_days: 365,
    policy_url: "https://example.com/privacy",
  },
  limits: {
    frames_min: 8,
    frames_max: 48,
    frame_bytes_max: 400000,
    document_bytes_max: 8388608,
    submit_bytes_max: 16777216,
    frame_long_side_px: 640,
  },
  last: null,
  redirect: null,
  ...changes,
});

export const refusal = (status, code, text, remedy, headers = {}) => ({
  status,
  headers,
  body: { error: { code, text, do: remedy } },
});

export const challenge = (script) => ({
  nonce: "bm9uY2Utbm9uY2Utbm9uY2U",
  expires_at: new Date(Date.now() + 60_000).toISOString(),
  script,
  frames_per_second: 8,
});

/**
 * Answers for the service on a page: `answers` holds, by "METHOD /path", a body, a refusal, or a
 * function of the request. Returns the requests that were made.
 */
export async function script(page, answers) {
  const asked = [];
  await page.route(`${origin}/**`, async (route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname;
    if (path.startsWith("/verify/") || path.startsWith("/assets/")) {
      const name = path.startsWith("/verify/") ? "index.html" : path.slice("/assets/".length);
      return route.fulfill({
        body: await readFile(new URL(name, dist)),
        contentType: types[name.split(".").pop()],
        headers: { "Content-Security-Policy": policy },
      });
    }
    const call = `${request.method()} ${path.replace("/api/transactions/t1", "") || "/"}`;
    const headers = await request.allHeaders();
    asked.push({ call, headers, body: request.postDataBuffer() });
    let answer = answers[call];
    if (typeof answer === "function") answer = await answer(asked.at(-1));
    if (answer === undefined)
      return route.fulfill({
        status: 404,
        json: refusal(404, "unknown-transaction", `no answer for ${call}`, "stop").body,
      });
    if (answer === "abort") return route.abort();
    const { status = 200, headers: more = {}, body = answer } = answer.status ? answer : {};
    return route.fulfill({ status, json: body, headers: more });
  });
  return asked;
}
