/** The selfie: what will happen, the live view with guidance, the challenge, and the sending. */

import { Refusal } from "../api.ts";
import { Camera, NoCamera } from "../camera.ts";
import { perform } from "../challenge.ts";
import { h, icon, sleep, tell, type Icon } from "../dom.ts";
import type { Flow, Screen } from "../flow.ts";
import { guide } from "../guide.ts";
import { declineButton } from "./email.ts";

const readyInARow = 2; // answers "ready" before the recording starts by itself
const lookHere = "Hold the camera at eye level and look into it";

const tip = (name: Icon, text: string) =>
  h("li", {}, h("span", { class: "tile" }, icon(name)), h("span", {}, text));

export function selfieScreen(flow: Flow): Screen {
  const fault = h("p", { class: "fault", role: "alert" });
  const calm = h("input", { type: "checkbox", id: "calm" });
  calm.checked = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const open = h("button", { type: "button", class: "primary" }, icon("camera"), "Open the camera");
  open.addEventListener("click", async () => {
    open.disabled = true;
    fault.textContent = "";
    try {
      flow.show(liveScreen(flow, await Camera.open("user"), calm.checked ? ["flash"] : []));
    } catch (cause) {
      if (!(cause instanceof NoCamera)) throw cause;
      fault.textContent = cause.message;
      open.disabled = false;
    }
  });
  return {
    title: "Now your selfie",
    step: "selfie",
    body: [
      h(
        "p",
        { class: "lead" },
        "A few seconds of video show that you are really here. Follow what the screen says; " +
          "every text is also read out by a screen reader.",
      ),
      h(
        "ul",
        { class: "rows" },
        tip("light", "Light on your face, none behind you."),
        tip("face", "Only you in the picture. Take off a cap, mask or dark glasses."),
        tip("clock", "The screen may shine in colours and ask you to turn your head."),
      ),
      h(
        "div",
        { class: "choice" },
        calm,
        h(
          "label",
          { for: "calm" },
          h("strong", {}, "No flashing colours"),
          h("br"),
          "If you are sensitive to light. You may be asked to move your head more.",
        ),
      ),
      fault,
      h("div", { class: "actions" }, open, declineButton(flow)),
    ],
  };
}

function liveScreen(flow: Flow, camera: Camera, without: string[]): Screen {
  const ending = new AbortController();
  const guiding = new AbortController();
  const advice = h("p", { class: "advice" }, lookHere);
  const view = h(
    "div",
    { class: "viewer selfie" },
    camera.video,
    h("div", { class: "oval", "aria-hidden": "true" }),
    advice,
  );
  view.style.setProperty("--ratio", String(camera.width / camera.height));
  let ready = 0;
  let taken = false;
  const take = async () => {
    if (taken) return;
    taken = true;
    guiding.abort();
    start.disabled = true;
    try {
      const challenge = await flow.api.challenge(without);
      const recording = await perform(challenge, camera, flow.view.limits);
      ending.abort();
      await send(flow, challenge, recording);
    } catch (cause) {
      ending.abort();
      if (cause instanceof Refusal && cause.code === "challenge-required")
        flow.next(
          `${cause.message} Untick “No flashing colours” to go on, ` +
            "or leave with “I do not want this”.",
        );
      else flow.failed(cause, () => flow.next());
    }
  };
  const start = h("button", { type: "button", class: "primary", click: take }, "Start now");
  void guide(flow.api, camera, "selfie", undefined, guiding.signal, (guidance) => {
    view.dataset.ready = String(guidance?.code === "ready");
    advice.textContent = guidance?.text ?? lookHere;
    tell(advice.textContent);
    ready = guidance?.code === "ready" ? ready + 1 : 0;
    if (ready >= readyInARow) void take();
  });
  return {
    title: "Look into the camera",
    step: "selfie",
    leave: () => {
      ending.abort();
      guiding.abort();
      camera.close();
    },
    body: [
      view,
      h(
        "p",
        { class: "hint centred" },
        "It starts by itself when your face is well in the picture.",
      ),
      h(
        "div",
        { class: "actions" },
        start,
        h(
          "button",
          {
            type: "button",
            class: "quiet",
            click: () => flow.next("The camera is off. Nothing was sent."),
          },
          "Close the camera",
        ),
      ),
    ],
  };
}

async function send(
  flow: Flow,
  challenge: Parameters<Flow["api"]["submit"]>[0],
  recording: Parameters<Flow["api"]["submit"]>[1],
): Promise<void> {
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Sending" });
  const text = h("p", { class: "centred" }, "Sending your pictures");
  flow.show({
    title: "One moment",
    step: "selfie",
    emblem: h("div", { class: "emblem working", "aria-hidden": "true" }, icon("face")),
    body: [text, bar],
  });
  tell("Sending your pictures");
  const sent = (share: number) => {
    bar.value = share;
    if (share < 1) return;
    bar.removeAttribute("value");
    text.textContent = "Checking: this takes a second or two";
    tell(text.textContent);
  };
  const submit = () =>
    flow
      .advance(() =>
        flow.api.submit(
          challenge,
          recording,
          flow.view.document_required ? flow.document : null,
          sent,
        ),
      )
      .catch((cause) => flow.failed(cause, () => flow.next()));
  await sleep(0);
  await submit();
}
