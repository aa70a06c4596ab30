/** Elements, icons and what is said to a screen reader. */

export type Child = Node | string | null | undefined | false;

type Attributes = Record<
  string,
  string | number | boolean | null | undefined | ((event: Event) => void)
>;

/**
 * Makes an element. A function is a listener, true an attribute without a value; false and null
 * leave the attribute out.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

const paths = {
  mark:
    "M12 3l7.5 2.8v5.6c0 4.6-3 7.9-7.5 9.6-4.5-1.7-7.5-5-7.5-9.6V5.8L12 3z" +
    "M8.6 12.1l2.4 2.4 4.5-4.8",
  card:
    "M5 5.5h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2z" +
    "M8.2 11.6a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4z" +
    "M5.6 15.5c.3-1.4 1.3-2.2 2.6-2.2s2.3.8 2.6 2.2M14 9.5h4M14 12.5h4M14 15.5h2.5",
  face:
    "M4 8V6a2 2 0 0 1 2-2h2M16 4h2a2 2 0 0 1 2 2v2M20 16v2a2 2 0 0 1-2 2h-2" +
    "M8 20H6a2 2 0 0 1-2-2v-2M9 9.5v.5M15 9.5v.5M12 9.5v3h-.8M9 15.2c1.8 1.4 4.2 1.4 6 0",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7.5V12l3 2",
  warning: "M12 4l9 15.5H3L12 4zM12 10v4M12 16.8v.2",
  left: "M19 12H5M11 6l-6 6 6 6",
  right: "M5 12h14M13 6l6 6-6 6",
  camera:
    "M4 8.5a2 2 0 0 1 2-2h1.8L9.3 4.5h5.4l1.5 2H18a2 2 0 0 1 2 2" +
    "V17a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V8.5z" +
    "M12 16a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6z",
  upload: "M12 15.5V5M7.5 9L12 4.5 16.5 9M4.5 15.5V18a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-2.5",
  light:
    "M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z" +
    "M12 2.5v1.8M12 19.7v1.8M2.5 12h1.8M19.7 12h1.8" +
    "M5.3 5.3l1.3 1.3M17.4 17.4l1.3 1.3M18.7 5.3l-1.3 1.3M6.6 17.4l-1.3 1.3",
} as const;

export type Icon = keyof typeof paths;

const svgNamespace = "http://www.w3.org/2000/svg";

export function svg(
  tag: string,
  attributes: Record<string, string | number>,
  ...children: Node[]
): SVGElement {
  const element = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** A drawing of 24 by 24, which a screen reader leaves out. */
export function icon(name: Icon): SVGElement {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" },
    svg("path", { d: paths[name] }),
  );
}

const region = (id: string) => document.getElementById(id) as HTMLElement;

/** Tells a screen reader, which finishes what it is saying first. */
export function tell(text: string): void {
  const polite = region("polite");
  if (polite.textContent !== text) polite.textContent = text;
}

/** Tells a screen reader at once: for what is asked of the person now. */
export function command(text: string): void {
  region("assertive").textContent = text;
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Resolves at the next picture of the screen, with its time on the clock of performance.now(). */
export const nextPaint = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
