/**
 * What the screens share: the service, what it last said, what was captured, and the way to the
 * next screen.
 */

import type { Api, View } from "./api.ts";
import type { Child } from "./dom.ts";

export interface Screen {
  title: string;
  /** Which of the steps on top this is; null where there is none to be at. */
  step: StepName | null;
  body: Child[];
  /** Drawn over the title. */
  emblem?: Child;
  /** Called once when another screen takes its place. */
  leave?: () => void;
}

export type StepName = "email" | "consent" | "document" | "selfie" | "result";

export interface Flow {
  readonly api: Api;
  readonly view: View;
  /** The picture of the document, until a submission was judged that does not ask for it again. */
  document: Blob | null;
  show(screen: Screen): void;
  /** Shows what comes next by the state of the transaction. */
  next(notice?: string): void;
  /**
   * Calls the service and goes where its answer says. Rejects only with what the person can mend on
   * the spot: a Refusal "fix".
   */
  advance(call: () => Promise<View>): Promise<void>;
  /** Goes where a refusal, or any other failure, says. */
  failed(cause: unknown, again: () => void): void;
}
