/** Shows a challenge over the whole screen, in time, while the camera records. */

import type { Challenge, Limits, Recording, Step } from "./api.ts";
import type { Camera } from "./camera.ts";
import { command, h, icon, nextPaint, sleep, svg } from "./dom.ts";

/** The person left the challenge. */
export class Cancelled extends Error {}

const leadMs = 300; // frames before the first step: the face as it is
const tailMs = 200; // and after the last: what the camera delays
const stillMs = 2000; // the recording where nothing is asked

/** What a step asks for in words; empty for what the screen does by itself. */
function asked(step: Step): string {
  if (step.kind === "head-turn") return `Turn your head to your ${step.towards}`;
  if (step.kind === "blink")
    return `Blink ${["once", "twice", "three times"][(step.times ?? 1) - 1]}`;
  return "";
}

const resting = "Look here and hold still";

/** Resolves with what was recorded, and with the moment at which the first step was shown. */
export async function perform(
  challenge: Challenge,
  camera: Camera,
  limits: Limits,
): Promise<Recording> {
  const steps = challenge.script?.steps ?? [];
  const duration = challenge.script?.duration_ms ?? stillMs;
  const ring = svg("circle", { cx: 50, cy: 50, r: 48, pathLength: 100, class: "ring-done" });
  const arrow = h("div", { class: "arrow", "aria-hidden": "true" });
  const caption = h("p", { class: "caption" }, resting);
  const stop = h("button", { type: "button", class: "stop" }, "Stop");
  const overlay = h(
    "div",
    {
      class: "challenge",
      role: "dialog",
      "aria-modal": "true",
      "aria-label": "Recording your selfie",
      tabindex: "-1",
    },
    caption,
    h(
      "div",
      { class: "mirror" },
      camera.video,
      svg(
        "svg",
        { viewBox: "0 0 100 100", "aria-hidden": "true" },
        svg("circle", { cx: 50, cy: 50, r: 48, class: "ring" }),
        ring,
      ),
      arrow,
    ),
    stop,
  );
  const home = camera.video.parentElement;
  let cancelled = false;
  const cancel = () => (cancelled = true);
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") cancel();
    if (event.key === "Tab") {
      event.preventDefault();
      stop.focus();
    }
  };
  stop.addEventListener("click", cancel);
  document.addEventListener("keydown", onKey);
  document.body.append(overlay);
  overlay.focus();
  void camera.video.play(); // moving an element pauses it
  command(resting);

  let shown: Step | undefined;
  const show = (step: Step | undefined) => {
    if (step === shown) return;
    shown = step;
    const text = (step && asked(step)) || resting;
    overlay.style.setProperty("--colour", step?.colour ?? "");
    overlay.classList.toggle("flashing", !!step?.colour);
    if (caption.textContent !== text) {
      caption.textContent = text;
      command(text);
      navigator.vibrate?.(60); // a turned head does not see the screen
    }
    const direction =
      step?.kind === "head-turn" && (step.towards === "left" || step.towards === "right")
        ? step.towards
        : null;
    overlay.dataset.towards = direction ?? "";
    arrow.replaceChildren(...(direction ? [icon(direction)] : []));
  };

  let began = 0;
  const play = async () => {
    await sleep(leadMs);
    began = await nextPaint();
    for (let now = began; now - began < duration + tailMs && !cancelled; now = await nextPaint()) {
      const at = now - began;
      show(steps.find((step) => at >= step.start_ms && at < step.start_ms + step.duration_ms));
      ring.style.setProperty(
        "stroke-dashoffset",
        String(100 - Math.min(100, (100 * at) / duration)),
      );
    }
  };
  try {
    const played = play();
    const seconds = (leadMs + duration + tailMs) / 1000;
    const perSecond = Math.max(
      Math.min(challenge.frames_per_second, (limits.frames_max - 1) / seconds),
      (limits.frames_min + 1) / seconds,
    );
    const recorded = await camera.record(
      played,
      perSecond,
      limits.frames_max,
      limits.frame_long_side_px,
    );
    if (cancelled) throw new Cancelled();
    return { began_us: Math.round(began * 1000), ...recorded };
  } finally {
    document.removeEventListener("keydown", onKey);
    home?.append(camera.video);
    overlay.remove();
  }
}
