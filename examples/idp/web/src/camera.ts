/**
 * The camera: opening it, pictures out of it, and a burst with the times at which the sensor saw
 * each frame.
 */

import { nextPaint } from "./dom.ts";
import type { Recording } from "./api.ts";

/** Why there is no camera, in words that say what to do. */
export class NoCamera extends Error {}

const reasons: Record<string, string> = {
  NotAllowedError:
    "The camera is blocked for this page. Allow it: tap the camera or lock symbol beside the " +
    "address, choose Allow for the camera, then try again.",
  NotFoundError: "No camera was found. Connect one, or open this page on a phone.",
  OverconstrainedError:
    "This camera cannot give the pictures that are needed. Try another one, or open this page on " +
    "a phone.",
  NotReadableError: "Another program is using the camera. Close it, then try again.",
};

const stalledMs = 1000;

export class Camera {
  private constructor(
    readonly video: HTMLVideoElement,
    readonly stream: MediaStream,
  ) {}

  /** Opens the camera that looks at the person, or the one at the back for the document. */
  static async open(facing: "user" | "environment"): Promise<Camera> {
    if (!navigator.mediaDevices?.getUserMedia)
      throw new NoCamera(
        "This browser cannot open a camera here. Use a current browser, over https.",
      );
    const size =
      facing === "user"
        ? { width: { ideal: 1280 }, height: { ideal: 960 } }
        : { width: { ideal: 1920 }, height: { ideal: 1440 } };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: facing, ...size, frameRate: { ideal: 30 } },
      });
      const video = document.createElement("video");
      video.muted = true;
      video.playsInline = true;
      video.srcObject = stream;
      await video.play();
      return new Camera(video, stream);
    } catch (cause) {
      const name = cause instanceof DOMException ? cause.name : "";
      throw new NoCamera(
        reasons[name] ??
          "The camera could not be opened. Close other programs that use it, then try again.",
      );
    }
  }

  close(): void {
    for (const track of this.stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }

  get width(): number {
    return this.video.videoWidth;
  }

  get height(): number {
    return this.video.videoHeight;
  }

  /** The picture of this moment as JPEG, its long side at most `longSide` pixels. */
  picture(
    longSide: number,
    quality = 0.85,
    part = { x: 0, y: 0, width: 1, height: 1 },
  ): Promise<Blob> {
    const [left, top] = [part.x * this.width, part.y * this.height];
    const [width, height] = [part.width * this.width, part.height * this.height];
    return jpeg(this.video, left, top, width, height, longSide, quality);
  }

  /**
   * Records until `until` resolves, then resolves with what was seen. Never more than `most`
   * frames, `perSecond` of them a second.
   */
  async record(
    until: Promise<unknown>,
    perSecond: number,
    most: number,
    longSide: number,
  ): Promise<Omit<Recording, "began_us">> {
    let over = false;
    until.then(
      () => (over = true),
      () => (over = true),
    );
    const times: number[] = [];
    const frames: Promise<Blob>[] = [];
    const period = 1000 / perSecond;
    let due = -Infinity;
    while (!over && frames.length < most) {
      const at = await this.#nextFrame();
      if (at === null || at < due) continue;
      due = at > due + period ? at + period : due + period;
      times.push(Math.round(at * 1000));
      frames.push(this.picture(longSide));
    }
    await until;
    return { frames_us: times, frames: await Promise.all(frames) };
  }

  /**
   * Waits for the camera's next picture; resolves with its time of capture on the clock of
   * performance.now(), in milliseconds. A camera that stalls must not hold up the challenge for
   * ever: null when no new picture comes within a second, for one that is recorded twice looks
   * injected.
   */
  async #nextFrame(): Promise<number | null> {
    if (!("requestVideoFrameCallback" in HTMLVideoElement.prototype)) {
      const [seen, began] = [this.#pictures, performance.now()];
      while (this.#pictures === seen) if ((await nextPaint()) > began + stalledMs) return null;
      return performance.now();
    }
    return new Promise((resolve) => {
      const stalled = setTimeout(() => resolve(null), stalledMs);
      this.video.requestVideoFrameCallback((now, frame) => {
        clearTimeout(stalled);
        resolve(frame.captureTime ?? now);
      });
    });
  }

  /** Pictures that the camera has given so far. */
  get #pictures(): number {
    return this.video.getVideoPlaybackQuality().totalVideoFrames;
  }
}

async function jpeg(
  source: CanvasImageSource,
  x: number,
  y: number,
  width: number,
  height: number,
  longSide: number,
  quality: number,
): Promise<Blob> {
  const scale = Math.min(1, longSide / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas
    .getContext("2d")
    ?.drawImage(source, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) =>
        blob ? resolve(blob) : reject(new NoCamera("The picture could not be taken. Try again.")),
      "image/jpeg",
      quality,
    ),
  );
}

/**
 * A file of the person as the service takes it: drawn anew, so that only the picture goes, and
 * nothing of what phones put behind it or say of the place. Rejects with an Error that says what is
 * wrong with the file.
 */
export async function asUpload(file: Blob): Promise<Blob> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error(
      "This file is not a picture that can be read. Choose a JPEG, PNG or WebP file.",
    );
  }
  try {
    if (Math.min(picture.width, picture.height) < 300)
      throw new Error(
        `This picture is only ${picture.width} by ${picture.height} pixels. ` +
          "Choose one with at least 300 on each side.",
      );
    return await jpeg(picture, 0, 0, picture.width, picture.height, 2400, 0.92);
  } finally {
    picture.close();
  }
}
