/** Who is it: the work email, and the code that was mailed to it. */

import { Refusal } from "../api.ts";
import { h } from "../dom.ts";
import type { Flow, Screen } from "../flow.ts";

/** A form of one field. A refusal that the person can mend is told beside the field. */
function oneField(
  field: HTMLInputElement,
  label: string,
  hint: string,
  button: string,
  send: (value: string) => Promise<void>,
): HTMLFormElement {
  const fault = h("p", { class: "fault", id: "fault", role: "alert" });
  const submit = h("button", { class: "primary" }, button);
  field.id = "field";
  field.setAttribute("aria-describedby", "hint fault");
  const complain = (text: string) => {
    fault.textContent = text;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  };
  return h(
    "form",
    {
      novalidate: true,
      submit: async (event) => {
        event.preventDefault();
        const value = field.value.trim();
        if (!field.checkValidity())
          return complain(field.dataset.wanted ?? field.validationMessage);
        submit.disabled = true;
        try {
          await send(value);
        } catch (cause) {
          if (!(cause instanceof Refusal)) throw cause;
          complain(cause.message);
        } finally {
          submit.disabled = false;
        }
      },
    },
    h("label", { for: "field" }, label),
    field,
    h("p", { class: "hint", id: "hint" }, hint),
    fault,
    submit,
  );
}

export function emailScreen(flow: Flow): Screen {
  const { view } = flow;
  const field = h("input", {
    type: "email",
    name: "email",
    autocomplete: "email",
    required: true,
    maxlength: 254,
    spellcheck: "false",
    value: view.email ?? "",
    readonly: view.email_locked,
    "data-wanted": "Type your whole work email, such as name@company.com.",
  });
  return {
    title: "Confirm that it is you",
    step: "email",
    body: [
      h(
        "p",
        { class: "lead" },
        h("strong", {}, view.client),
        view.document_required
          ? " asks for a short identity check: a selfie and a photo of an identity document. " +
            "It takes about half a minute."
          : " asks for a selfie, to see that you are the person who enrolled. " +
            "It takes a few seconds.",
      ),
      oneField(
        field,
        "Work email",
        view.email_locked
          ? "Given by your organisation."
          : "The address that you were invited with.",
        "Continue",
        (email) => flow.advance(() => flow.api.email(email)),
      ),
      declineButton(flow),
    ],
  };
}

export function codeScreen(flow: Flow): Screen {
  const field = h("input", {
    type: "text",
    name: "code",
    class: "code",
    inputmode: "numeric",
    autocomplete: "one-time-code",
    required: true,
    pattern: "[0-9]{6}",
    maxlength: 6,
    "data-wanted": "Type the six digits of the mail.",
  });
  return {
    title: "Look into your mail",
    step: "email",
    body: [
      h(
        "p",
        { class: "lead" },
        "We sent a code to ",
        h("strong", {}, flow.view.email ?? "your address"),
        ". It shows that the address is yours.",
      ),
      oneField(
        field,
        "Code",
        "Six digits. If no mail comes, look in the spam folder.",
        "Continue",
        (code) => flow.advance(() => flow.api.code(code)),
      ),
      declineButton(flow),
    ],
  };
}

/** The way out, on every screen before the result. */
export function declineButton(flow: Flow): HTMLButtonElement {
  return h(
    "button",
    { type: "button", class: "quiet", click: () => flow.advance(flow.api.decline) },
    "I do not want this",
  );
}
