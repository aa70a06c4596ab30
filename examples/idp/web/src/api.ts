/** The service's interface, under /api/transactions/{id}. */

import type { GuidanceCode } from "./vocabulary.ts";

export type State = "email" | "code" | "consent" | "capture" | "accepted" | "refused" | "expired";

export interface View {
  id: string;
  state: State;
  csrf: string;
  client: string;
  organisation: string;
  email: string | null;
  email_locked: boolean;
  purpose: "enrol" | "verify";
  document_required: boolean;
  expires_at: string;
  attempts_left: number;
  retry_at: string | null;
  consent: Consent;
  limits: Limits;
  last: Verdict | null;
  redirect: string | null;
}

export interface Consent {
  version: string;
  controller: string;
  contact: string; // empty where there is none
  purpose: string;
  kept: string[];
  not_kept: string[];
  retention_days: number;
  policy_url: string | null;
}

export interface Limits {
  frames_min: number;
  frames_max: number;
  frame_bytes_max: number;
  document_bytes_max: number;
  submit_bytes_max: number;
  frame_long_side_px: number;
}

export interface Verdict {
  outcome: "accept" | "reject" | "inconclusive";
  reasons: Reason[];
  receipt: string;
}

export interface Reason {
  code: string;
  text: string;
  do: "retry-selfie" | "retry-document" | "wait" | "stop" | "continue";
}

export interface Guidance {
  code: GuidanceCode;
  text: string;
}

export interface Step {
  kind: string;
  start_ms: number;
  duration_ms: number;
  colour?: string;
  towards?: string;
  times?: number;
}

export interface Challenge {
  nonce: string;
  expires_at: string;
  script: { kinds: string[]; duration_ms: number; steps: Step[] } | null;
  frames_per_second: number;
}

/** What was recorded: timestamps in microseconds of one clock, and a JPEG for each. */
export interface Recording {
  began_us: number;
  frames_us: number[];
  frames: Blob[];
}

export type Remedy = "retry" | "restart-capture" | "wait" | "fix" | "reload" | "stop";

/** A call that was refused or got no answer. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    text: string,
    readonly remedy: Remedy,
    /** Seconds to wait before the same call; 0 where the service named none. */
    readonly wait: number,
  ) {
    super(text);
  }
}

const unreachable = () =>
  new Refusal(
    "unreachable",
    "The service did not answer. Check your connection, then try again.",
    "retry",
    0,
  );

function refusal(status: number, body: string, retryAfter: string | null): Refusal {
  const wait = Math.max(0, Number.parseInt(retryAfter ?? "0", 10) || 0);
  try {
    const { error } = JSON.parse(body);
    return new Refusal(error.code, error.text, error.do, wait);
  } catch {
    const remedy = status === 429 || status === 503 ? "wait" : "retry";
    return new Refusal(
      `http-${status}`,
      `The service answered with an error (${status}). Try again in a moment.`,
      remedy,
      wait,
    );
  }
}

export class Api {
  #csrf = "";
  readonly #root: string;

  constructor(transaction: string) {
    this.#root = `/api/transactions/${encodeURIComponent(transaction)}`;
  }

  view = async () => this.#viewed(await this.#call("", { method: "GET" }));
  email = (email: string) => this.#post("/email", { email });
  code = (code: string) => this.#post("/code", { code });
  consent = (version: string) => this.#post("/consent", { version });
  decline = () => this.#post("/decline", {});

  challenge(without: string[]): Promise<Challenge> {
    return this.#call(
      "/challenge",
      this.#json(without.length ? { without } : {}),
    ) as Promise<Challenge>;
  }

  guidance(role: "selfie" | "document", picture: Blob, signal: AbortSignal): Promise<Guidance> {
    const headers = { "Content-Type": picture.type, "X-CSRF-Token": this.#csrf };
    return this.#call(`/guidance?role=${role}`, {
      method: "POST",
      headers,
      body: picture,
      signal,
    }) as Promise<Guidance>;
  }

  /** Sends a capture; `sent` hears the share that is on its way, which fetch cannot tell. */
  submit(
    challenge: Challenge,
    recording: Recording,
    document: Blob | null,
    sent: (share: number) => void,
  ): Promise<View> {
    const form = new FormData();
    const { began_us, frames_us } = recording;
    form.append(
      "capture",
      new Blob([JSON.stringify({ nonce: challenge.nonce, began_us, frames_us })], {
        type: "application/json",
      }),
    );
    for (const frame of recording.frames) form.append("frame", frame, "frame.jpg");
    if (document) form.append("document", document, "document");
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", `${this.#root}/submit`);
      request.setRequestHeader("X-CSRF-Token", this.#csrf);
      request.upload.onprogress = (event) =>
        event.lengthComputable && sent(event.loaded / event.total);
      request.onerror = () => reject(unreachable());
      request.onload = () => {
        if (request.status === 200) resolve(this.#viewed(JSON.parse(request.responseText)));
        else
          reject(
            refusal(request.status, request.responseText, request.getResponseHeader("Retry-After")),
          );
      };
      request.send(form);
    });
  }

  async #post(path: string, body: unknown): Promise<View> {
    return this.#viewed(await this.#call(path, this.#json(body)));
  }

  #json(body: unknown): RequestInit {
    const headers = { "Content-Type": "application/json", "X-CSRF-Token": this.#csrf };
    return { method: "POST", headers, body: JSON.stringify(body) };
  }

  #viewed(answer: unknown): View {
    const view = answer as View;
    this.#csrf = view.csrf;
    return view;
  }

  async #call(path: string, init: RequestInit): Promise<unknown> {
    let answer: Response;
    try {
      answer = await fetch(this.#root + path, {
        credentials: "same-origin",
        cache: "no-store",
        ...init,
      });
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
      throw unreachable();
    }
    if (!answer.ok)
      throw refusal(answer.status, await answer.text(), answer.headers.get("Retry-After"));
    return answer.json();
  }
}
