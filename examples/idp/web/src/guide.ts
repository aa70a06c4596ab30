/** Live guidance: pictures go to the engine a few times a second, and its answers to the person. */

import type { Api, Guidance } from "./api.ts";
import { Refusal } from "./api.ts";
import type { Camera } from "./camera.ts";
import { sleep } from "./dom.ts";

const periodMs = 300; // the service allows four a second

/**
 * Asks for guidance until `signal` aborts. `heard` gets each answer, or null while there is none to
 * be had: the capture goes on without it.
 */
export async function guide(
  api: Api,
  camera: Camera,
  role: "selfie" | "document",
  part: Parameters<Camera["picture"]>[2],
  signal: AbortSignal,
  heard: (guidance: Guidance | null) => void,
): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now();
    let pause = periodMs;
    try {
      const answer = await api.guidance(
        role,
        await camera.picture(role === "selfie" ? 640 : 1280, 0.8, part),
        signal,
      );
      if (!signal.aborted) heard(answer);
    } catch (cause) {
      if (signal.aborted) return;
      heard(null);
      pause = cause instanceof Refusal ? Math.max(2000, cause.wait * 1000) : 2000;
    }
    await sleep(Math.max(0, pause - (performance.now() - began)));
  }
}
