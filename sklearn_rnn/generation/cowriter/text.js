// Text and tokens, as in sklearn_rnn.CharVectorizer and WordVectorizer.

const UNKNOWN = 1; // code of tokens that the model does not know
const UNKNOWN_TEXT = "\ufffd";

// the white space of Python, which differs from that of JavaScript
const SPACE = "\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORD = new RegExp(`[\\p{L}\\p{N}_]+|[^\\p{L}\\p{N}_${SPACE}]`, "gu");
const IS_SPACE = new RegExp(`[${SPACE}]$`, "u");

/** The codec of texts: it splits them into tokens, and joins tokens to texts. */
class Codec {
  constructor(description) {
    this.names = description.classes; // the name of the end, then the tokens
    this.codeOf = new Map(this.names.map((name, k) => [name, k + END]));
    this.isOfWords = description.unit === "words";
    this.isLowercase = description.lowercase;
    this.unknown = description.handle_unknown;
    this.separator = description.separator; // number of spaces between words
  }

  fold(text) {
    return this.isLowercase ? text.toLowerCase() : text;
  }

  /** Split a text into tokens. */
  split(text) {
    const folded = this.fold(text);
    return this.isOfWords ? (folded.match(WORD) ?? []) : Array.from(folded);
  }

  isKnown(token) {
    return token !== this.names[0] && this.codeOf.has(token);
  }

  /** The codes of a text that the network reads, and its unknown tokens. */
  encode(text) {
    const tokens = this.split(text);
    const unknown = tokens.filter((token) => !this.isKnown(token));
    const read = this.unknown === "ignore" ? tokens.filter((t) => this.isKnown(t)) : tokens;
    const codes = read.map((token) => (this.isKnown(token) ? this.codeOf.get(token) : UNKNOWN));
    return { codes, unknown };
  }

  /** The codes of a token or text that can be written; raises an Error if none can. */
  encodePhrase(phrase) {
    if (this.codeOf.has(phrase)) return [this.codeOf.get(phrase)];
    const { codes, unknown } = this.encode(phrase);
    if (unknown.length) throw new Error(`“${unknown[0]}” is not in the vocabulary.`);
    if (!codes.length) throw new Error("There is nothing to add.");
    return codes;
  }

  /** The text of codes. */
  decode(codes) {
    const tokens = [];
    for (const code of codes) {
      if (code !== END) tokens.push(code === UNKNOWN ? UNKNOWN_TEXT : this.names[code - END]);
    }
    return this.isOfWords ? joinWords(tokens) : tokens.join("");
  }
}

// ---------------------------------------------------------------- joining of words
// The rules are those of sklearn_rnn/text/_detokenize.py.

const OPENING = new Set("([{\u201c\u2018\u00bf\u00a1#@");
const CLOSING = new Set(",.;:!?%)]}\u201d\u2026");
const HYPHENS = new Set("-/\u2010\u2011");
const APOSTROPHES = new Set("'\u2019");
const QUOTES = new Set("\"'");
const CLITICS = new Set(["s", "t", "d", "m", "ll", "re", "ve", "am", "em", "hui"]);
const LONGEST_QUOTATION = 1000; // tokens between quotation marks

const isDecimal = (token) => /^\p{Nd}+$/u.test(token);
const isAlphabetic = (token) => /^\p{L}+$/u.test(token);
const isWord = (token) => token === UNKNOWN_TEXT || /[\p{L}\p{N}_]/u.test(token);
const countCharacters = (token) => Array.from(token).length;
const lastOf = (token) => Array.from(token).pop() ?? "";

function joinWords(tokens) {
  const pieces = [];
  const opened = new Set();
  let isGlued = true;
  tokens.forEach((token, place) => {
    const [left, right] = findSides(tokens, place, opened);
    pieces.push(isGlued || left ? token : ` ${token}`);
    isGlued = right;
  });
  return pieces.join("");
}

/** Whether a token is attached to the previous and to the next token. */
function findSides(tokens, place, opened) {
  const token = tokens[place];
  const before = place ? tokens[place - 1] : "";
  const after = tokens[place + 1] ?? "";
  if (isWord(token)) return [APOSTROPHES.has(token[0]) || token.toLowerCase() === "n't", false];
  const betweenWords = isWord(before) && isWord(after);
  if (APOSTROPHES.has(token) && betweenWords && isApostrophe(before, after)) return [true, true];
  if (QUOTES.has(token)) return findSidesOfQuote(tokens, place, opened);
  if (token === "\u2019") return [true, false];
  if (HYPHENS.has(token)) {
    if (before === token || after === token) return [before === token, after === token];
    const left = betweenWords || (isWord(before) && !after);
    const isSign = isDecimal(after) && !isWord(before);
    return [left, betweenWords || isSign];
  }
  if (token === "\u2014") return [true, true];
  if (token === "\u2013") {
    const within = isDecimal(before) && isDecimal(after);
    return [within, within];
  }
  const last = lastOf(token);
  if (CLOSING.has(Array.from(token)[0])) {
    return [true, OPENING.has(last) || isWithin(token, tokens, place)];
  }
  return [false, OPENING.has(last) || (/^\p{Sc}$/u.test(last) && isDecimal(after))];
}

/** Whether a mark between two words is an apostrophe, as in it's or l'air. */
function isApostrophe(before, after) {
  if (CLITICS.has(after.toLowerCase()) || before.toLowerCase().endsWith("qu")) return true;
  return countCharacters(before) === 1 && isAlphabetic(before) && !"aAiI".includes(before);
}

/** The sides of a straight quotation mark, which may open or close. */
function findSidesOfQuote(tokens, place, opened) {
  const token = tokens[place];
  const before = place ? tokens[place - 1] : "";
  if (opened.delete(token)) return [true, false];
  const isPlural = token === "'" && ["s", "S"].includes(lastOf(before));
  const isAlone = () =>
    !tokens.slice(place + 1, place + 1 + LONGEST_QUOTATION).includes(token);
  if (isPlural || (isWord(before) && isAlone())) return [true, false];
  opened.add(token);
  return [false, true];
}

/** Whether a mark is within a number, a time of day or an abbreviation. */
function isWithin(mark, tokens, place) {
  if (!place || place + 1 === tokens.length) return false;
  const [before, after] = [tokens[place - 1], tokens[place + 1]];
  const [nBefore, nAfter] = [countCharacters(before), countCharacters(after)];
  if (isDecimal(before) && isDecimal(after)) {
    return (
      mark === "." ||
      (mark === "," && nBefore <= 3 && nAfter === 3) ||
      (mark === ":" && nBefore <= 2 && nAfter === 2)
    );
  }
  const isInitial = mark === "." && tokens[place + 2] === ".";
  return isInitial && [before, after].every((x) => countCharacters(x) === 1 && isAlphabetic(x));
}
