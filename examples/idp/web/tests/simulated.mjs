// A simulated person before a simulated camera, for the flash challenge: a clip cannot reflect the
// light of the screen, this can. It shows that the page's clock and the engine's agree, from the
// nonce to the colour on the face; it says nothing of real skin.

import { readFile } from "node:fs/promises";

/** The pictures of a Motion JPEG clip. */
async function pictures(clip, count) {
  const bytes = await readFile(clip);
  const starts = [];
  for (
    let at = bytes.indexOf("ffd8ff", 0, "hex");
    at >= 0 && starts.length <= count;
    at = bytes.indexOf("ffd8ff", at + 3, "hex")
  )
    starts.push(at);
  return starts.slice(0, count).map((start, i) => bytes.subarray(start, starts[i + 1]));
}

/**
 * Replaces the camera of the pages of a context. The face reflects `reflects` of the screen's
 * light; 0 is a camera that is fed with a recording.
 */
export async function simulate(context, clip, { reflects, face: [x, y, radius] }) {
  const frames = await pictures(clip, 90);
  await context.route("**/simulated/*.jpg", (route) =>
    route.fulfill({
      body: frames[Number.parseInt(route.request().url().split("/").pop(), 10)],
      contentType: "image/jpeg",
    }),
  );
  await context.addInitScript(
    ({ count, reflects, x, y, radius }) => {
      const latencyMs = 40;
      navigator.mediaDevices.getUserMedia = async () => {
        const frames = await Promise.all(
          Array.from({ length: count }, async (_, i) =>
            createImageBitmap(await (await fetch(`/simulated/${i}.jpg`)).blob()),
          ),
        );
        const [{ width, height }] = frames;
        const sensor = Object.assign(document.createElement("canvas"), { width, height });
        const lit = new OffscreenCanvas(width, height);
        const [camera, light] = [sensor.getContext("2d"), lit.getContext("2d")];
        const falloff = light.createRadialGradient(
          x * width,
          y * width,
          0,
          x * width,
          y * width,
          2 * radius * width,
        );
        falloff.addColorStop(0, "#fff");
        falloff.addColorStop(0.5, "#ddd");
        falloff.addColorStop(1, "#000");
        const screen = []; // what it showed, and when
        let i = 0;
        setInterval(() => {
          const overlay = document.querySelector(".challenge");
          screen.push({
            at: performance.now(),
            colour: overlay ? getComputedStyle(overlay).backgroundColor : "#000",
          });
          while (screen.length > 1 && screen[1].at <= performance.now() - latencyMs) screen.shift();
          const frame = frames[i++ % count];
          light.globalCompositeOperation = "source-over";
          light.drawImage(frame, 0, 0);
          light.globalCompositeOperation = "multiply";
          light.fillStyle = screen[0].colour;
          light.fillRect(0, 0, width, height);
          light.fillStyle = falloff;
          light.fillRect(0, 0, width, height);
          camera.globalCompositeOperation = "source-over";
          camera.globalAlpha = 0.75;
          camera.fillStyle = "#000";
          camera.fillRect(0, 0, width, height);
          camera.drawImage(frame, 0, 0);
          camera.globalCompositeOperation = "lighter";
          camera.globalAlpha = reflects;
          camera.drawImage(lit, 0, 0);
          camera.globalAlpha = 1;
        }, 1000 / 30);
        return sensor.captureStream(30);
      };
    },
    { count: frames.length, reflects, x, y, radius },
  );
}
