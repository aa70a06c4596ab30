/** The capture page: one transaction, from the email to the way back. */

import { Api, Refusal, type View } from "./api.ts";
import { Cancelled } from "./challenge.ts";
import { command, h, icon, tell } from "./dom.ts";
import type { Flow, Screen, StepName } from "./flow.ts";
import { documentScreen } from "./screens/document.ts";
import { codeScreen, emailScreen } from "./screens/email.ts";
import { consentScreen } from "./screens/consent.ts";
import {
  acceptedScreen,
  endScreen,
  expiredScreen,
  lastScreen,
  noticeScreen,
  waitScreen,
} from "./screens/result.ts";
import { selfieScreen } from "./screens/selfie.ts";

const element = (id: string) => document.getElementById(id) as HTMLElement;

const names: Record<StepName, string> = {
  email: "Email",
  consent: "Consent",
  document: "Document",
  selfie: "Selfie",
  result: "Result",
};

class Page implements Flow {
  readonly api = new Api(location.pathname.split("/").filter(Boolean).at(-1) ?? "");
  document: Blob | null = null;
  #view: View | null = null;
  #leave: (() => void) | undefined;
  #expiry = 0;

  get view(): View {
    if (!this.#view) throw new Error("there is no view yet");
    return this.#view;
  }

  async start(): Promise<void> {
    await this.advance(this.api.view);
  }

  show(screen: Screen): void {
    this.#leave?.();
    this.#leave = screen.leave;
    const title = h("h1", { tabindex: "-1" }, screen.title);
    const main = element("screen");
    main.replaceChildren(
      ...[this.#steps(screen.step), screen.emblem, title, ...screen.body].filter(
        (child): child is Node | string => !!child,
      ),
    );
    main.removeAttribute("aria-busy");
    document.title = this.#view ? `${screen.title} · ${this.#view.organisation}` : screen.title;
    tell("");
    command("");
    title.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  next(notice?: string): void {
    const view = this.view;
    switch (view.state) {
      case "email":
        return this.show(emailScreen(this));
      case "code":
        return this.show(codeScreen(this));
      case "consent":
        return this.show(consentScreen(this));
      case "capture":
        if (notice) return this.show(noticeScreen(this, notice));
        return this.capture();
      case "accepted":
        return this.show(acceptedScreen(this));
      case "refused":
        return this.show(endScreen(this));
      case "expired":
        return this.show(expiredScreen(view));
    }
  }

  /**
   * The document first: the challenge allows about a minute, which the selfie should have to
   * itself.
   */
  capture(): void {
    this.show(
      this.view.document_required && !this.document ? documentScreen(this) : selfieScreen(this),
    );
  }

  async advance(call: () => Promise<View>): Promise<void> {
    try {
      this.#seen(await call());
    } catch (cause) {
      if (cause instanceof Refusal && cause.remedy === "fix" && this.#view) throw cause;
      return this.failed(cause, () => void this.advance(call));
    }
    if (this.view.state === "capture" && this.view.last) this.show(lastScreen(this));
    else this.next();
  }

  failed(cause: unknown, again: () => void): void {
    if (cause instanceof Cancelled)
      return this.next("You stopped the recording. Nothing was sent.");
    if (!(cause instanceof Refusal)) {
      console.error(cause);
      cause = new Refusal(
        "page",
        "Something went wrong on this page. Load it again; nothing that you did is lost.",
        "reload",
        0,
      );
    }
    const refusal = cause as Refusal;
    if (refusal.remedy === "wait")
      return this.show(waitScreen(refusal.message, refusal.wait || 5, again));
    if (refusal.remedy === "stop" || refusal.code === "expired")
      return this.show(expiredScreen(this.#view, refusal.message));
    if (refusal.remedy === "reload" && this.#view && refusal.code !== "page")
      return void this.advance(this.api.view);
    if ((refusal.remedy === "restart-capture" || refusal.remedy === "fix") && this.#view)
      return this.next(refusal.message);
    this.show({
      title: "That did not work",
      step: null,
      emblem: h("div", { class: "emblem amber" }, icon("warning")),
      body: [
        h("p", { role: "alert" }, refusal.message),
        h(
          "button",
          {
            type: "button",
            class: "primary",
            click: () => (refusal.remedy === "reload" ? location.reload() : again()),
          },
          refusal.remedy === "reload" ? "Load the page again" : "Try again",
        ),
      ],
    });
  }

  #seen(view: View): void {
    this.#view = view;
    element("masthead").replaceChildren(
      h("span", { class: "brand" }, icon("mark"), view.organisation),
      h("span", { class: "client" }, "for ", h("strong", {}, view.client)),
    );
    const until = new Date(view.expires_at);
    const time = until.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const open = view.state !== "accepted" && view.state !== "refused" && view.state !== "expired";
    element("foot").replaceChildren(
      h(
        "p",
        {},
        "Your pictures go to ",
        h("strong", {}, view.organisation),
        " and to nobody else.",
      ),
      h(
        "p",
        {},
        open && `You have until ${time} to finish. `,
        view.consent.contact &&
          h("a", { href: `mailto:${view.consent.contact}` }, view.consent.contact),
      ),
    );
    clearTimeout(this.#expiry);
    if (open)
      this.#expiry = window.setTimeout(
        () => void this.advance(this.api.view),
        Math.min(2 ** 31 - 1, Math.max(1000, until.getTime() - Date.now() + 500)),
      );
  }

  #steps(at: StepName | null): Node | null {
    if (!at || !this.#view) return null;
    const way: StepName[] = [
      "email",
      "consent",
      ...(this.#view.document_required ? (["document"] as const) : []),
      "selfie",
      "result",
    ];
    const now = way.indexOf(at);
    return h(
      "nav",
      { "aria-label": "Progress" },
      h("p", { class: "unseen" }, `Step ${now + 1} of ${way.length}: ${names[at]}`),
      h(
        "ol",
        { class: "steps", "aria-hidden": "true" },
        ...way.map((step, i) =>
          h("li", { class: i < now ? "done" : i === now ? "now" : "" }, h("span", {}, names[step])),
        ),
      ),
    );
  }
}

void new Page().start();
