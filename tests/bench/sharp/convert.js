// Converts pictures with sharp. Each line of stdin asks with {"source", "target", "width", "height"} and is answered by
// {"cpu": seconds of processor time so far, "peak": most bytes of memory so far}.
const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const sharp = require("sharp");

const began = process.cpuUsage();

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { source, target, width, height } = JSON.parse(line);
    await sharp(source).resize(width, height, { fit: "fill" }).jpeg({ quality: 90 }).toFile(target);
    const { user, system } = process.cpuUsage(began);
    const [, kilobytes] = readFileSync("/proc/self/status", "utf8").match(/VmHWM:\s+(\d+)/);
    console.log(JSON.stringify({ cpu: (user + system) / 1e6, peak: kilobytes * 1024 }));
  }
}

main();
