/** How it went, and what to do next. */

import type { Reason, View } from "../api.ts";
import { h, icon, tell, type Child, type Icon } from "../dom.ts";
import type { Flow, Screen } from "../flow.ts";
import { declineButton } from "./email.ts";

const emblem = (name: Icon, tone: "green" | "amber" | "red") =>
  h("div", { class: `emblem ${tone}` }, icon(name));

const remedies: Record<Reason["do"], string> = {
  "retry-selfie": "Take the selfie again.",
  "retry-document": "Take the photo of the document again.",
  wait: "Wait a moment, then try again.",
  stop: "",
  continue: "",
};

const plural = (count: number, one: string, many: string) =>
  count === 1 ? `one ${one}` : `${count} ${many}`;

function reasons(flow: Flow): Child {
  const told = flow.view.last?.reasons ?? [];
  // After the capture there is nothing to do again.
  const remedy = ({ do: what }: Reason) => (flow.view.state === "capture" ? remedies[what] : "");
  return (
    told.length > 0 &&
    h(
      "ul",
      { class: "facts warning" },
      ...told.map((reason) =>
        h(
          "li",
          {},
          icon("warning"),
          h(
            "span",
            {},
            reason.text,
            remedy(reason) && " ",
            remedy(reason) && h("strong", {}, remedy(reason)),
          ),
        ),
      ),
    )
  );
}

function receipt(flow: Flow): Child {
  const digest = flow.view.last?.receipt;
  return digest ? h("p", { class: "hint receipt" }, "Receipt ", h("code", {}, digest)) : null;
}

function back({ redirect, client }: View, look: "primary" | "secondary"): Child {
  return (
    redirect &&
    h(
      "button",
      { type: "button", class: look, click: () => location.assign(redirect) },
      `Back to ${client}`,
    )
  );
}

export function acceptedScreen(flow: Flow): Screen {
  if (flow.view.redirect) location.assign(flow.view.redirect);
  return {
    title: "It is you",
    step: "result",
    emblem: emblem("check", "green"),
    body: [
      h(
        "p",
        { class: "lead centred", role: "status" },
        `The check passed. Going back to ${flow.view.client}.`,
      ),
      back(flow.view, "secondary"),
      receipt(flow),
    ],
  };
}

export function endScreen(flow: Flow): Screen {
  const { last, attempts_left, client } = flow.view;
  return {
    title: last ? "The check did not pass" : "You left the check",
    step: "result",
    emblem: emblem(last ? "cross" : "warning", last ? "red" : "amber"),
    body: [
      h(
        "p",
        { class: "lead" },
        last
          ? attempts_left === 0
            ? `There are no attempts left. ${client} hears that the check did not pass, ` +
              "and can tell you what to do next."
            : `${client} hears that the check did not pass, and can tell you what to do next.`
          : `No picture was kept. ${client} hears that you did not take part.`,
      ),
      last && reasons(flow),
      back(flow.view, "primary"),
      receipt(flow),
    ],
  };
}

/** The transaction is over, or cannot be known to this browser: then there is no view. */
export function expiredScreen(view: View | null, text?: string): Screen {
  return {
    title: "This check is over",
    step: null,
    emblem: emblem("clock", "amber"),
    body: [
      h(
        "p",
        { class: "lead" },
        text ?? "The time ran out, and no picture was kept. Start again where you came from.",
      ),
      view && back(view, "primary"),
    ],
  };
}

/** After an attempt that failed, while others are left. */
export function lastScreen(flow: Flow): Screen {
  const { view } = flow;
  const told = view.last?.reasons ?? [];
  const documentAgain = told.some((reason) => reason.do === "retry-document");
  if (documentAgain) flow.document = null;
  const again = h(
    "button",
    { type: "button", class: "primary", click: () => flow.next() },
    documentAgain && view.document_required ? "Take the document again" : "Take the selfie again",
  );
  const wait = until(view.retry_at ? Date.parse(view.retry_at) : 0, again);
  return {
    title: view.last?.outcome === "reject" ? "The check did not pass" : "We could not tell yet",
    step: "result",
    emblem: emblem(
      view.last?.outcome === "reject" ? "cross" : "warning",
      view.last?.outcome === "reject" ? "red" : "amber",
    ),
    leave: wait.stop,
    body: [
      reasons(flow),
      h("p", {}, `You have ${plural(view.attempts_left, "attempt", "attempts")} left.`),
      wait.text,
      h(
        "div",
        { class: "actions" },
        again,
        view.document_required &&
          !documentAgain &&
          flow.document &&
          h(
            "button",
            {
              type: "button",
              class: "secondary",
              click: () => ((flow.document = null), flow.next()),
            },
            "Use another document",
          ),
        declineButton(flow),
      ),
      receipt(flow),
    ],
  };
}

/** The service asked for patience. */
export function waitScreen(text: string, seconds: number, again: () => void): Screen {
  const button = h("button", { type: "button", class: "primary", click: again }, "Try again");
  const wait = until(Date.now() + seconds * 1000, button);
  return {
    title: "A little patience",
    step: null,
    emblem: emblem("clock", "amber"),
    leave: wait.stop,
    body: [h("p", { class: "lead" }, text), wait.text, button],
  };
}

/** Something to say before the capture goes on. */
export function noticeScreen(flow: Flow, text: string): Screen {
  return {
    title: "Let us try that again",
    step: "selfie",
    emblem: emblem("warning", "amber"),
    body: [
      h("p", { class: "lead", role: "alert" }, text),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "primary", click: () => flow.next() }, "Go on"),
        declineButton(flow),
      ),
    ],
  };
}

/** Holds a button back until a moment, and counts down. */
function until(moment: number, button: HTMLButtonElement): { text: HTMLElement; stop: () => void } {
  const text = h("p", { class: "countdown" });
  const tick = () => {
    const left = Math.ceil((moment - Date.now()) / 1000);
    button.disabled = left > 0;
    text.hidden = left <= 0;
    text.textContent =
      left >= 60
        ? `The next attempt is possible in ${Math.floor(left / 60)} min ${left % 60} s.`
        : `The next attempt is possible in ${left} s.`;
    if (left <= 0) {
      clearInterval(timer);
      if (moment) tell("You can try again now.");
    }
  };
  const timer = setInterval(tick, 1000);
  tick();
  return { text, stop: () => clearInterval(timer) };
}
