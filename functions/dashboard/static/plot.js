/** A line over time, as SVG, with its numbers as a table for whoever cannot see it. */

import { count, h, newId } from "./dom.js";

const WIDTH = 420;
const HEIGHT = 190;
const LEFT = 56;
const BOTTOM = 24;
const TOP = 12;
const RIGHT = 8;
const SHORT = new Intl.NumberFormat(undefined, { notation: "compact", maximumSignificantDigits: 3 });

/**
 * Draw a figure of [{date, value}] (ISO days, oldest first; value null where nothing is known); `name` says what it
 * counts. Returns null when there are not at least two values.
 */
export function plot(name, points) {
  const known = points.filter((point) => point.value !== null && point.value !== undefined);
  if (known.length < 2) return null;
  const values = known.map((point) => point.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const from = Date.parse(known[0].date);
  const until = Date.parse(known.at(-1).date);
  const x = (date) => LEFT + ((Date.parse(date) - from) / (until - from || 1)) * (WIDTH - LEFT - RIGHT);
  // What never changed is a line through the middle.
  const y = (value) => TOP + (high > low ? (high - value) / (high - low) : 0.5) * (HEIGHT - TOP - BOTTOM);
  const line = known.map((point) => `${x(point.date).toFixed(1)},${y(point.value).toFixed(1)}`);
  const base = HEIGHT - BOTTOM;
  const area = `M${line[0]} L${line.join(" L")} L${x(known.at(-1).date).toFixed(1)},${base} L${LEFT},${base} Z`;
  const label = `${name}: ${count(values[0])} on ${known[0].date}, ${count(values.at(-1))} on ${known.at(-1).date}`;
  const heading = newId("plot");
  return h(
    "figure.card",
    { "aria-labelledby": heading },
    h("figcaption", { id: heading }, h("h3", name)),
    h(
      "svg.plot",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
      h("line.axis", { x1: LEFT, x2: WIDTH, y1: base, y2: base }),
      h("line.axis", { x1: LEFT, x2: WIDTH, y1: TOP, y2: TOP }),
      [...new Set([high, low])].map((value) =>
        h("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, SHORT.format(value)),
      ),
      h("text", { x: LEFT, y: HEIGHT - 4 }, known[0].date),
      h("text", { x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, known.at(-1).date),
      h("path.area", { d: area }),
      h("polyline.line", { points: line.join(" ") }),
      known.length <= 31 &&
        known.map((point) => h("circle.dot", { cx: x(point.date).toFixed(1), cy: y(point.value).toFixed(1), r: 3 })),
    ),
    h(
      "details",
      h("summary", `${name} as a table`),
      h(
        "div.table",
        { tabindex: "0", role: "region", "aria-label": `${name} as a table` },
        h(
          "table",
          h("thead", h("tr", h("th", { scope: "col" }, "Day"), h("th.number", { scope: "col" }, name))),
          h(
            "tbody",
            points.map((point) => h("tr", h("td", point.date), h("td.number", count(point.value)))),
          ),
        ),
      ),
    ),
  );
}
