/** The document: a photo by the camera, inside a frame, or a file. */

import { asUpload, Camera, NoCamera } from "../camera.ts";
import { h, icon, tell } from "../dom.ts";
import type { Flow, Screen } from "../flow.ts";
import { guide } from "../guide.ts";
import { declineButton } from "./email.ts";

/** What of the camera's picture is taken: the frame, ID-1 in its proportions, and a margin. */
function framed(camera: Camera): { x: number; y: number; width: number; height: number } {
  const width = 0.94;
  const height = Math.min(0.94, (width * camera.width) / 1.45 / camera.height);
  return { x: (1 - width) / 2, y: (1 - height) / 2, width, height };
}

export function documentScreen(flow: Flow): Screen {
  const ending = new AbortController();
  const fault = h("p", { class: "fault", role: "alert" });
  const stage = h("div", { class: "stage" });
  const file = h("input", {
    type: "file",
    id: "file",
    class: "unseen",
    accept: "image/jpeg,image/png,image/webp",
    "aria-describedby": "document-hint",
  });
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    fault.textContent = "";
    try {
      confirm(await asUpload(chosen));
    } catch (cause) {
      fault.textContent = (cause as Error).message;
    }
    file.value = "";
  });

  const confirm = (picture: Blob) => {
    ending.abort();
    flow.show(confirmScreen(flow, picture));
  };

  const open = async () => {
    fault.textContent = "";
    start.disabled = true;
    try {
      const camera = await Camera.open("environment");
      if (ending.signal.aborted) return camera.close();
      ending.signal.addEventListener("abort", () => camera.close());
      const advice = h("p", { class: "advice" }, "Lay the document flat and fill the frame");
      const shoot = h(
        "button",
        {
          type: "button",
          class: "primary",
          click: async () => confirm(await camera.picture(1600, 0.92, framed(camera))),
        },
        icon("camera"),
        "Take the photo",
      );
      const view = h(
        "div",
        { class: "viewer" },
        camera.video,
        h("div", { class: "card-frame", "aria-hidden": "true" }),
        advice,
      );
      view.style.setProperty("aspect-ratio", `${camera.width} / ${camera.height}`);
      stage.replaceChildren(view, shoot);
      shoot.focus();
      void guide(flow.api, camera, "document", framed(camera), ending.signal, (guidance) => {
        view.dataset.ready = String(guidance?.code === "ready");
        advice.textContent = guidance?.text ?? "Lay the document flat and fill the frame";
        tell(advice.textContent);
      });
    } catch (cause) {
      if (!(cause instanceof NoCamera)) throw cause;
      fault.textContent = `${cause.message} You can also choose a file.`;
    } finally {
      start.disabled = false;
    }
  };
  const start = h(
    "button",
    { type: "button", class: "primary", click: open },
    icon("camera"),
    "Use the camera",
  );
  stage.append(h("div", { class: "picture", "aria-hidden": "true" }, specimen()), start);

  return {
    title: "Your identity document",
    step: "document",
    leave: () => ending.abort(),
    body: [
      h(
        "p",
        { class: "lead", id: "document-hint" },
        "A passport, identity card or driving licence: the side that shows your face. All four " +
          "edges in the picture, no glare, no fingers on the portrait.",
      ),
      stage,
      fault,
      file,
      h("label", { for: "file", class: "secondary" }, icon("upload"), "Choose a file"),
      declineButton(flow),
    ],
  };
}

/** A drawing of a card, which shows what is meant. */
function specimen(): Node {
  return h(
    "div",
    { class: "specimen" },
    h("div", { class: "portrait" }, icon("face")),
    h("div", { class: "lines" }, h("i"), h("i"), h("i"), h("i")),
    h("div", { class: "zone" }, h("i"), h("i")),
  );
}

function confirmScreen(flow: Flow, picture: Blob): Screen {
  const url = URL.createObjectURL(picture);
  return {
    title: "Can everything be read?",
    step: "document",
    leave: () => URL.revokeObjectURL(url),
    body: [
      h("p", { class: "lead" }, "The portrait must be sharp and whole, with no glare on it."),
      h("img", { class: "taken", src: url, alt: "The photo of your document" }),
      h(
        "div",
        { class: "actions" },
        h(
          "button",
          {
            type: "button",
            class: "primary",
            click: () => {
              flow.document = picture;
              flow.next();
            },
          },
          "Use this photo",
        ),
        h(
          "button",
          { type: "button", class: "secondary", click: () => flow.show(documentScreen(flow)) },
          "Take another",
        ),
      ),
    ],
  };
}
