/** Time zones. */

import { h } from "./dom.js";

/** The browser's own zone, such as Europe/Berlin. */
export function ownZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** A select of all time zones; the browser's own is chosen, and stands in `dataset.own`. */
export function zoneSelect() {
  const own = ownZone();
  const zones = [...new Set([own, "UTC", ...Intl.supportedValuesOf("timeZone")])];
  return h(
    "select",
    { "data-own": own },
    zones.map((zone) => h("option", { value: zone, selected: zone === own }, zone.replaceAll("_", " "))),
  );
}
