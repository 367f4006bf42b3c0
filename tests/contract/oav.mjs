// Every pair of a request and its answer by Microsoft's own `oav validate-traffic`, against the document that it belongs to.
//
// It never takes a pair for good that oav did not look at: oav leaves out, without a word, what no operation of the document matches.
// What it finds must stand in the list of what real Azure does too; the list's proofs must be there.
//
//   node oav.mjs PAIRS DATA OAV DEVIATIONS SCRATCH
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";

const [pairsFolder, data, oav, deviationsFile, scratch] = process.argv.slice(2);
// Pairs in which our own validator found a listed deviation stand apart; here the same rule holds for both.
const KINDS = ["oav", "oav-deviating"];
// A document that takes longer to load than this is broken, not large.
const PATIENCE_MS = 120_000;
// What oav says once for each pair that it found an operation for and looked at.
const LOOKED_AT = /Complete response validation/g;

const deviations = readFileSync(deviationsFile, "utf8")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line && !line.startsWith("#"))
  .map((line) => {
    const [operation, source, code, message, proof] = line.split(" | ");
    if (!proof) throw new Error(`${deviationsFile}: five parts, parted by ' | ': ${line}`);
    const [tape, number] = proof.split(":");
    const file = join(data, "recordings", tape);
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    if (!lines[number - 1]) throw new Error(`${deviationsFile}: no recording ${proof}`);
    return { operation, source, code, message, met: false };
  });

function isListed(error) {
  const found = deviations.find(
    (one) =>
      one.operation === error.operationId &&
      one.source === error.issueSource &&
      one.code === error.errorCode &&
      error.errorMessage.includes(one.message),
  );
  if (found) found.met = true;
  return Boolean(found);
}

// What oav finds in these pairs: findings that no list excuses, and whether it looked at all pairs.
function validate(files, document) {
  const folder = join(scratch, "pairs");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  files.forEach((file) => copyFileSync(file, join(folder, basename(file))));
  const report = join(scratch, "report.json");
  rmSync(report, { force: true });
  const run = spawnSync(
    process.execPath,
    [oav, "validate-traffic", folder, document, "--jsonReport", report, "--report", join(scratch, "report.html"), "--logFilepath", join(scratch, "oav.log")],
    { encoding: "utf8", timeout: PATIENCE_MS, maxBuffer: 1 << 28 },
  );
  // Its exit code says nothing: it is 1 after a whole report too, because a template is missing from the package.
  if (!existsSync(report)) throw new Error(`oav wrote no report on ${document}:\n${(run.stdout + run.stderr).slice(-2000)}`);
  const looked = (run.stdout.match(LOOKED_AT) ?? []).length;
  const errors = JSON.parse(readFileSync(report, "utf8")).errors.filter((error) => !isListed(error));
  return { errors, all: looked === files.length };
}

function documentOf(kindFolder, slug) {
  const own = join(kindFolder, slug, "DOCUMENT");
  const shared = join(pairsFolder, "oav-documents.json");
  const named = existsSync(own) ? readFileSync(own, "utf8").trim() : existsSync(shared) ? JSON.parse(readFileSync(shared, "utf8"))[slug] : undefined;
  const found = named && [join(data, named), join(data, "specs", named), join(data, "specs", "specification", named)].find(existsSync);
  if (!found) throw new Error(`${slug}: the document ${named ?? "is not named"} is not in the data folder`);
  return found;
}

const counts = { passed: 0, failed: 0 };
const complaints = [];
for (const kind of KINDS) {
  const kindFolder = join(pairsFolder, kind);
  const slugs = existsSync(kindFolder) ? readdirSync(kindFolder).filter((name) => statSync(join(kindFolder, name)).isDirectory()) : [];
  for (const slug of slugs.sort()) {
    const files = readdirSync(join(kindFolder, slug)).filter((name) => name.endsWith(".json")).sort().map((name) => join(kindFolder, slug, name));
    if (files.length === 0) continue;
    const document = documentOf(kindFolder, slug);
    const { errors, all } = validate(files, document);
    if (errors.length === 0 && all) {
      counts.passed += files.length;
      continue;
    }
    // The report does not say which pair it speaks of: each is looked at by itself.
    for (const file of files) {
      const alone = validate([file], document);
      if (alone.errors.length === 0 && alone.all) {
        counts.passed += 1;
        continue;
      }
      counts.failed += 1;
      const { liveRequest } = JSON.parse(readFileSync(file, "utf8"));
      complaints.push(`FAILED ${kind}/${slug}/${basename(file)}: ${liveRequest.method} ${liveRequest.url.split("?")[0]}`);
      if (!alone.all) complaints.push("  no operation of the document matches it");
      alone.errors.forEach((error) => complaints.push(`  ${error.operationId} | ${error.issueSource} | ${error.errorCode} | ${error.errorMessage}`));
    }
  }
}
complaints.forEach((line) => console.log(line));
deviations.filter((one) => !one.met).forEach((one) => console.log(`not met: ${one.operation} ${one.code}: ${one.message}`));
console.log(`oav: ${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
