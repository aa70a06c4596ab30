// Draws the pictures of the capture page for the documentation: node tests/screenshots.mjs FOLDER.
// Nobody is on them.

import { mkdir } from "node:fs/promises";
import { launch } from "./browser.mjs";
import { origin, script, view } from "./scripted.mjs";

const folder = process.argv[2];
const states = {
  email: { email: "ana@example.com" },
  consent: { state: "consent" },
  document: { state: "capture" },
  selfie: { state: "capture", document_required: false, purpose: "verify" },
};

const browser = await launch();
await mkdir(folder, { recursive: true });
for (const colorScheme of ["light", "dark"]) {
  const shots = [];
  for (const changes of Object.values(states)) {
    const page = await browser.newPage({
      viewport: { width: 390, height: 900 },
      deviceScaleFactor: 2,
      colorScheme,
    });
    await script(page, { "GET /": view(changes) });
    await page.goto(`${origin}/verify/t1`);
    await page.locator("h1").waitFor();
    shots.push(
      (
        await page.screenshot({ fullPage: true, clip: { x: 0, y: 0, width: 390, height: 900 } })
      ).toString("base64"),
    );
    await page.close();
  }
  const [ground, line] = colorScheme === "dark" ? ["#05070b", "#2a3342"] : ["#e9edf3", "#d3d9e3"];
  const page = await browser.newPage({ viewport: { width: 1744, height: 982 } });
  const images = shots.map(
    (shot) =>
      `<img width="390" src="data:image/png;base64,${shot}" ` +
      `style="border-radius:28px;border:1px solid ${line}">`,
  );
  await page.setContent(
    `<body style="margin:0;display:flex;gap:32px;padding:40px;background:${ground}">` +
      images.join(""),
  );
  await page
    .locator("img")
    .last()
    .evaluate((image) => image.decode());
  await page.screenshot({ path: `${folder}/capture-page-${colorScheme}.png` });
  await page.close();
}
await browser.close();
