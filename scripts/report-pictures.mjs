// Opens reports in headless Chromium: pictures (first screen, light, dark, 360 px wide, as printed), a PDF, and what axe-core says.
// Called by report-pictures.sh, in a folder where puppeteer-core and axe-core are installed: node report-pictures.mjs CHROMIUM OUT PAGE...
import { createRequire } from "node:module";
import { readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";

const require = createRequire(join(process.cwd(), "x.js"));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [chromium, out, ...pages] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-gpu"],
});
let wrong = 0;
const fail = (text) => { wrong += 1; console.log(`FAILED ${text}`); };

for (const path of pages) {
  const name = basename(path, ".html");
  const tab = await browser.newPage();
  await tab.setBypassCSP(true);
  tab.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) fail(`${name} asks for ${request.url()}`);
  });
  const look = async (suffix, width, height, scheme, fullPage) => {
    await tab.setViewport({ width, height });
    // Each of the two undoes the other.
    if (scheme === "print") await tab.emulateMediaType("print");
    else await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await tab.goto(`file://${resolve(path)}`);
    await tab.screenshot({ path: join(out, `${name}-${suffix}.png`), fullPage });
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) fail(`${name} is ${wide} px wide on a screen of ${width}`);
    await tab.evaluate(axe);
    const found = await tab.evaluate(async () => (await window.axe.run()).violations);
    for (const v of found) {
      const line = `${name} ${suffix}: ${v.impact} ${v.id}: ${v.help} (${v.nodes.length}), ${v.nodes[0].target}`;
      if (["serious", "critical"].includes(v.impact)) fail(line); else console.log(`note ${line}`);
    }
  };
  await look("first", 1280, 800, "light", false);
  await look("light", 1280, 800, "light", true);
  await look("dark", 1280, 800, "dark", true);
  await look("narrow", 360, 740, "light", true);
  // As on paper: A4 has 794 px at 96 to the inch.
  await look("print", 794, 1123, "print", true);
  await tab.emulateMediaType();
  await tab.pdf({ path: join(out, `${name}.pdf`), format: "A4" });
  const bytes = statSync(path).size;
  if (bytes >= 500_000) fail(`${name} has ${bytes} bytes`);
  console.log(`ok   ${name}: ${bytes} bytes`);
  await tab.close();
}
await browser.close();
process.exit(wrong > 0 ? 1 : 0);
