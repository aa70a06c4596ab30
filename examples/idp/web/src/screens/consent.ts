/** What happens, what is kept, and by whom: all of it before the camera opens. */

import { h, icon, type Icon } from "../dom.ts";
import type { Flow, Screen } from "../flow.ts";
import { declineButton } from "./email.ts";

const row = (name: Icon, title: string, text: string) =>
  h(
    "li",
    {},
    h("span", { class: "tile" }, icon(name)),
    h("span", {}, h("strong", {}, title), h("br"), text),
  );

const list = (name: Icon, texts: string[]) =>
  h(
    "ul",
    { class: `facts ${name}` },
    ...texts.map((text) => h("li", {}, icon(name), h("span", {}, text))),
  );

function duration(days: number): string {
  if (days >= 365 && days % 365 === 0) return days === 365 ? "one year" : `${days / 365} years`;
  return days === 1 ? "one day" : `${days} days`;
}

export function consentScreen(flow: Flow): Screen {
  const { view } = flow;
  const { consent } = view;
  const agree = h("button", { type: "button", class: "primary" }, "I agree, continue");
  agree.addEventListener("click", async () => {
    agree.disabled = true;
    await flow
      .advance(() => flow.api.consent(consent.version))
      .catch((cause) => flow.failed(cause, () => flow.next()));
  });
  return {
    title: "Before you start",
    step: "consent",
    body: [
      h("p", { class: "lead" }, consent.purpose),
      h(
        "ol",
        { class: "rows" },
        view.document_required &&
          row("card", "Your document", "A photo of the side that shows your face."),
        row("face", "A selfie", "A few seconds of video, while the screen tells you what to do."),
        row(
          "check",
          "The answer",
          `${view.client} hears whether the check passed, not how you look.`,
        ),
      ),
      h("h2", {}, "What is kept"),
      list("check", consent.kept),
      h(
        "p",
        { class: "hint" },
        "For ",
        h("strong", {}, duration(consent.retention_days)),
        ", then it is deleted.",
        consent.contact && " You can ask for that at any time: ",
        consent.contact && h("a", { href: `mailto:${consent.contact}` }, consent.contact),
        consent.contact && ".",
      ),
      h("h2", {}, "What is not kept"),
      list("cross", consent.not_kept),
      h(
        "p",
        { class: "hint" },
        "Responsible: ",
        h("strong", {}, consent.controller),
        ".",
        consent.policy_url && " ",
        consent.policy_url &&
          h(
            "a",
            { href: consent.policy_url, target: "_blank", rel: "noopener noreferrer" },
            "Privacy policy (new window)",
          ),
      ),
      h("div", { class: "actions" }, agree, declineButton(flow)),
    ],
  };
}
