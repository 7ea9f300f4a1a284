// Transcripts in the format of sklearn_rnn.WritingSession.to_json.

const FORMAT = "sklearn_rnn writing session";
const VERSION = 2; // version 1 had no checksum

/** The transcript of a session. */
function writeTranscript(session) {
  const content = {
    format: FORMAT,
    version: VERSION,
    model: session.model.description.fingerprint,
    prompt: session.prompt,
    steps: session.steps.map(({ code, picked, temperature, nTyped }) => [
      code, picked, temperature, ...(nTyped ? [nTyped] : []),
    ]),
    temperature: session.temperature,
  };
  const checksum = computeChecksum(content);
  return `${dumpContent({ ...content, checksum })}\n`;
}

/** Read and check the entries of a transcript. */
function readTranscript(transcript, model) {
  let content;
  try {
    content = JSON.parse(transcript);
  } catch {
    throw new Error("This is not a transcript: it is not JSON.");
  }
  if (content?.format !== FORMAT || ![1, VERSION].includes(content.version)) {
    throw new Error("This is not a transcript of a writing session.");
  }
  const isPositive = (x) => Number.isFinite(x) && x > 0;
  const isCount = (x, longest) => Number.isInteger(x) && x >= 0 && x <= longest;
  const isStep = (step) => {
    if (!Array.isArray(step) || step.length < 3 || step.length > 4) return false;
    const [code, picked, temperature, nTyped = 0] = step;
    const name = model.codec.names[code - END];
    const longest = picked && name !== undefined ? countCharacters(name) : 0;
    return (
      Number.isInteger(code) && name !== undefined && typeof picked === "boolean" &&
      isPositive(temperature) && isCount(nTyped, longest)
    );
  };
  if (content.model !== model.description.fingerprint) {
    throw new Error("The transcript belongs to another model.");
  }
  if (
    typeof content.prompt !== "string" || !isPositive(content.temperature) ||
    !Array.isArray(content.steps) || !content.steps.every(isStep) ||
    content.steps.slice(0, -1).some(([code]) => code === END)
  ) {
    throw new Error("The transcript contains impossible steps.");
  }
  if (content.version === VERSION && content.checksum !== computeChecksum(content)) {
    throw new Error("The transcript was changed, because its checksum differs.");
  }
  return content;
}

/** Hash the entries of a transcript as Python does. */
function computeChecksum(content) {
  const names = ["format", "model", "prompt", "steps", "temperature", "version"];
  return sha256(dumpContent(Object.fromEntries(names.map((name) => [name, content[name]]))));
}

/** JSON of the entries of a transcript, as json.dumps writes it in Python. */
function dumpContent(content) {
  const entries = Object.entries(content).map(([name, value]) => {
    let text = typeof value === "string" ? dumpString(value) : String(value);
    if (name === "temperature") text = dumpFloat(value);
    if (name === "steps") text = `[${value.map(dumpStep).join(", ")}]`;
    return `"${name}": ${text}`;
  });
  return `{${entries.join(", ")}}`;
}

function dumpStep([code, picked, temperature, ...nTyped]) {
  return `[${[code, picked, dumpFloat(temperature), ...nTyped].join(", ")}]`;
}

function dumpString(text) {
  const escape = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text).replace(/[^\x00-\x7e]/g, escape);
}

/** The shortest digits of a positive float, in Python's notation. */
function dumpFloat(x) {
  const [digits, exponent] = x.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    const sign = power < 0 ? "-" : "+";
    return `${digits}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return Number.isInteger(x) ? `${x}.0` : String(x);
}

/** The hexadecimal SHA-256 of a text in ASCII. */
function sha256(text) {
  const size = 64 * Math.ceil((text.length + 9) / 64);
  const bytes = new Uint8Array(size);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  bytes[text.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(size - 8, Math.floor(text.length / 2 ** 29));
  view.setUint32(size - 4, (text.length * 8) >>> 0);
  const [hash, words] = [Uint32Array.from(SHA_START), new Uint32Array(64)];
  const rotate = (x, n) => (x >>> n) | (x << (32 - n));
  for (let block = 0; block < size; block += 64) {
    for (let k = 0; k < 64; k++) {
      if (k < 16) {
        words[k] = view.getUint32(block + 4 * k);
        continue;
      }
      const [u, v] = [words[k - 15], words[k - 2]];
      const s0 = rotate(u, 7) ^ rotate(u, 18) ^ (u >>> 3);
      const s1 = rotate(v, 17) ^ rotate(v, 19) ^ (v >>> 10);
      words[k] = words[k - 16] + s0 + words[k - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let k = 0; k < 64; k++) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = h + s1 + ((e & f) ^ (~e & g)) + SHA_FACTORS[k] + words[k];
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [(t1 + t2) >>> 0, a, b, c, (d + t1) >>> 0, e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((x, k) => (hash[k] += x));
  }
  return Array.from(hash, (x) => x.toString(16).padStart(8, "0")).join("");
}

// fractional parts of the square and cube roots of the first primes (FIPS 180-4)
const PRIMES = Array.from({ length: 310 }, (_, k) => k + 2).filter((n) => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
});
const takeFraction = (x) => Math.floor((x % 1) * 2 ** 32);
const SHA_START = PRIMES.slice(0, 8).map((p) => takeFraction(Math.sqrt(p)));
const SHA_FACTORS = PRIMES.slice(0, 64).map((p) => takeFraction(Math.cbrt(p)));
