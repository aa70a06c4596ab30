// The walk of a holder, and of an impostor with the holder's document, for clips of real people: a
// measurement, not a test.
//
//   node tests/material.mjs NAME...    for the files that `make material` makes of NAME.mp4

import { launch } from "./browser.mjs";
import { apache, clip, service, shots, stop } from "./parts.mjs";
import { person } from "./person.mjs";

const names = process.argv.slice(2);
const counts = {};
try {
  const at = await service({
    policy: {
      challenge: { kinds: [] },
      attempts: { first_delay: "0s" },
      duplicate: { action: "flag" },
    },
  });
  const portal = await apache(at);
  for (const [i, name] of names.entries()) {
    for (const [take, document] of [name, names[(i + 1) % names.length]].entries()) {
      const browser = await launch(clip(`${name}-${take + 1}`));
      const me = await person(browser, `${name}.${document}@example.com`, { at });
      await me.visit(portal.page);
      await me.identify();
      await me.agree();
      await me.upload(clip(document).replace(/\.mjpeg$/, "-card.png"));
      const view = await me.selfie();
      if (view.state === "accepted") await me.heading(portal.heading);
      const trial = document === name ? "mated" : "non-mated";
      const outcome = view.last?.outcome ?? view.error.code;
      console.log(
        `camera ${name}, document ${document} (${trial}): ${outcome}; ` +
          view.last?.reasons.map(({ code }) => code).join(", "),
      );
      counts[`${trial} ${outcome}`] = (counts[`${trial} ${outcome}`] ?? 0) + 1;
      await me.shot(`material-${name}-${document}`);
      await me.leave();
      await browser.close();
    }
  }
} finally {
  await stop();
}
console.log(counts, `screenshots in ${shots}`);
