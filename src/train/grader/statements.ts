/** What a text denies, bounds or leaves open, in English, Chinese and Japanese: none of it is an answer. */

/** Stand where a text denied or bounded a value, and where it only thought it possible. */
export const DENIED = "\uE000";
export const POSSIBLE = "\uE001";
export const WITHDRAWN = /[\uE000\uE001]/;

const FORMULA = String.raw`\$(?:\\\$|[^$\n]){1,120}\$|\\\([^\n]{1,120}?\\\)`;
const COMMAND = String.raw`[-+]?\\[a-zA-Z]{1,12}(?:\{[^{}\n]{0,60}\}|\[[^\]\n]{0,9}\]|\d){1,3}`;
/** Mathematics written without a space. */
const RUN = String.raw`(?=[^\s。，;]{0,60}[\d\\=^])[^\s。，;!?$\0\uE000\uE001]{0,79}[^\s。，;!?$,.:\uE000\uE001]`;
/** A number, a formula, a command with its arguments, a letter or several that name a choice or points. */
const VALUE = String.raw`(?:${FORMULA}|[-+]?\\?[$€£¥]?\d[\d.,:/^]{0,40}(?<![.,])%?|${COMMAND}|\(?[A-Z]{1,8}\)?(?![A-Za-z']))(?:\s?\\text\s?\{[^{}\n]{0,30}\})?`;
const DENIABLE = String.raw`(?:${VALUE}|${RUN})`;
const gap = String.raw`[\s}~]{1,9}`;
/** Words between a negation and what it denies. */
const FILL =
  "be|been|equals?|to|get|obtain|give|have|longer|the|answer|number|value|choice|option|correct|right|really|actually|" +
  "exactly|possibly|simply|just|even|always|necessarily|is|that|it|it's|any|of|either|quite|yet|by|as|true|think|believe|" +
  "say|accept|close";
const filled = String.raw`(?:\s{1,3}(?:${FILL})(?![a-z])){0,6}`;
const OR = String.raw`(?:\s?(?:or|nor|and|と|か|和|或|还是|還是|也)\s?${VALUE}){0,8}`;
const LISTED = String.raw`(?:\s?(?:,|、|or|nor|and|,\s?or|,\s?and|to|と|か|和|或|到|至|から)\s?${VALUE}){0,20}`;
/** Counters and particles after a value. */
const tail = (most: number): string => String.raw`[^\d\s。,、，.$?？!\\]{0,${most}}?`;

const pattern = (...parts: readonly string[]): RegExp => new RegExp(parts.join("|"), "gu");

const DENIALS: readonly { readonly has: RegExp; readonly what: RegExp }[] = [
  {
    has: /\bn(?:ot|ever|either|o longer)\b|\bNot\b|n't|cannot|[Nn]either|[Nn]ever|but|cept|than|nstead|differ|nequal|xclud|ithout|ul(?:e|es|ing) out|apart|doubt|NOT|far from|nowhere|impossible|!=|\\ne/,
    what: pattern(
      String.raw`(?:(?<![a-zA-Z])(?:[Nn]ot|NOT|[Nn]ever|cannot|no\slonger|far\sfrom|nowhere\snear|impossible\sto)|n't)${filled}${gap}${DENIABLE}${OR}`,
      String.raw`\\(?:text|mathrm|textbf|textit)\s?\{\s?[Nn]ot\s?\}\s{0,3}${VALUE}|\\(?:neg|lnot)\s?${VALUE}`,
      String.raw`(?<=[a-z]{2}\s)(?:!=|\\neq?(?![a-z]))\s{0,3}${VALUE}`,
      String.raw`(?<![a-zA-Z])[Nn]either\s${VALUE}${LISTED}`,
      String.raw`(?<![a-zA-Z])(?:[Aa]nything|[Ee]verything|[Aa]ll|any\s[a-z]{3,9})\s(?:but|except)${gap}${VALUE}${OR}`,
      String.raw`(?<![a-zA-Z])(?:except(?:\sfor)?|other\sthan|rather\sthan|[Ii]nstead\sof|differs?\sfrom|different\sfrom|unequal\sto|[Ee]xclud(?:e|es|ing)|[Ww]ithout|[Rr]ul(?:e|es|ing)\sout|apart\sfrom|doubt)${filled}${gap}${VALUE}${OR}`,
    ),
  },
  {
    has: /[Ww]rong|\bNo|correct|false|impossible|excluded|ruled out|invalid|fail|not |n't|cannot/,
    what: pattern(
      String.raw`${VALUE}\s(?:is|was|are|seems|would\sbe)\s(?:clearly\s|obviously\s|also\s|still\s)?(?:wrong|incorrect|false|impossible|excluded|ruled\sout|invalid|too\s(?:big|small|large|low|high))(?![a-z])`,
      String.raw`${VALUE}\s(?:is\snot|isn't|was\snot|wasn't|cannot\sbe|can't\sbe|can\snot\sbe)\s(?:the|an?|it|correct|right|valid|possible|true)(?:\s(?:correct|right|final|valid))?(?:\s(?:answer|solution|value|choice|option|one|number))?(?![a-z])`,
      String.raw`(?<![a-zA-Z])(?:[Ww]rong|[Ii]ncorrect|[Ff]alse)(?:ly)?(?:\s[a-z]{1,9}){0,5}\s${VALUE}`,
      String.raw`${VALUE}(?:\?\s(?:No|Nope|Not|Wrong|Incorrect)(?![a-z])|\s?\((?:wrong|incorrect|no|false)\)|\s?-\s?no,)`,
      String.raw`${VALUE}\s(?:fails|fail|does\snot\swork|doesn't\swork|cannot\swork)(?![a-z])`,
    ),
  },
  {
    has: /[不非没沒除外错錯误誤]/,
    what: pattern(
      String.raw`[绝絕并並而也就都]{0,2}(?:不(?:可能|会|會|能|应该?|應該?|一定)?(?:是|等于|等於|为|為|选|選)|非|没有|沒有|除了?)\s?${DENIABLE}${OR}${tail(4)}(?:以外|之外)?(?=[\s。,、，.?？!而是;；]|的|$|\})`,
      String.raw`${VALUE}${tail(2)}(?:也|都|并|並)?(?:是|为|為)?(?:错误|錯誤|错的|錯的|不对|不對|不正确|不正確|不是(?=正[确確]|答案|解|选项)|不成立|不可能|不符合|不行)(?:的|答案|正确答案)?`,
      String.raw`${VALUE}${tail(2)}\s?(?:之外|除外|[错錯](?:误|誤)?)`,
      String.raw`(?:[错錯][误誤]的?答案|不[认認][为為](?:答案)?)(?:是|为|為)?\s?:?\s?${VALUE}`,
    ),
  },
  {
    has: /な[いくかりら]|無[いく]|ありませ|異な|違|言え|ありえ|あり得|誤|間違|まちが|ちが|不正解|以外|除/,
    what: pattern(
      String.raw`${VALUE}${tail(7)}(?:では|じゃ|で|には|に|とは|だとは|とは|と|く|であるはずが|はずが)(?:なくて|なく|ない|無く|無い|ありません(?:でした)?|なかった|なりません|ならない|等しくない|等しくありません|異な[るり]|違[うい]|言えない|言えません|限らない)(?:です|ます|ので)?[、,]?`,
      String.raw`${VALUE}${tail(4)}は(?:誤り|間違い?|まちが|ちが|不正解|正しくな|正しくあ|答えでは|正解では|違[うい]|あり得な|ありえな|ありえま|不適|不可|条件を満たさ)[^。、,\n]{0,12}`,
      String.raw`${VALUE}${tail(4)}(?:以外|を除[くいき])`,
      String.raw`(?:誤った|誤りの|間違った|間違いの)(?:答え|解答?)は\s?${VALUE}`,
    ),
  },
];

const BOUNDS: readonly { readonly has: RegExp; readonly what: RegExp }[] = [
  {
    has: /than|least|most|up to|low|above|exceed|etween|ne (?:of|among)|ny of|ome of|ither of|eyond|nder|ver |like|such as|or (?:more|less|fewer|greater)/,
    what: pattern(
      String.raw`(?<![a-zA-Z])(?:[Ll]ess|[Mm]ore|[Gg]reater|[Ff]ewer|smaller|larger|bigger|higher|lower)\sthan(?:\sor\sequal\sto)?${gap}${VALUE}${OR}`,
      String.raw`(?<![a-zA-Z])(?:[Aa]t\s(?:the\s)?(?:least|most)|such\sas|like|[Uu]p\sto|[Bb]elow|[Aa]bove|[Bb]eyond|exceeds?)${gap}${VALUE}${OR}`,
      String.raw`(?<![a-zA-Z])[Bb]etween\s${VALUE}\s(?:and|to)\s${VALUE}`,
      String.raw`(?<![a-zA-Z])(?:[Oo]ne|[Aa]ny|[Ss]ome|[Ee]ither)\s(?:of|among)\s(?:the\s(?:numbers|values)\s)?${VALUE}${LISTED}`,
      String.raw`${VALUE}(?:\s|\\text\{|\\ ){1,3}or\s(?:more|less|fewer|greater)(?![a-z])\}?`,
      String.raw`${VALUE}\sat\s(?:the\s)?(?:most|least)(?![a-z])`,
      String.raw`(?<![a-zA-Z\\])(?<![\d)}$]\s?)(?:[Uu]nder|[Oo]ver)\s(?=\$?\d)${VALUE}`,
    ),
  },
  {
    has: /of |wice|ouble|riple|squared|cubed|dozen|and a |factorial/,
    what: pattern(
      String.raw`(?<![a-zA-Z])(?:[Hh]alf|[Dd]ouble|[Tt]wice|[Tt]riple|(?:[Ss]quare\s|[Cc]ube\s)roots?|[Rr]eciprocal|[Oo]pposite|[Nn]egative|[Ii]nverse|[Ss]quare|[Cc]ube)\s(?:of\s)?(?:the\s)?(?=\$?[-\d\\])${VALUE}`,
      String.raw`(?=[-\d$])${VALUE}\s(?:squared|cubed|dozen|factorial|and\sa\s(?:half|third|quarter))(?![a-z])`,
    ),
  },
  {
    has: /\d\$?\s?(?:to|から|到|至)/,
    what: pattern(String.raw`(?=[-\d$])${VALUE}\s?(?:to|から|到|至)\s?(?=[-\d$])${VALUE}`),
  },
  {
    has: /[于於至最不超低高介少多在]|比|中[选選]|以[上下内外]|未[満满]|より|を[超下]|の間|之[间間一]|どれか|いずれか|のうち|中的|たかだか|せいぜい/,
    what: pattern(
      String.raw`(?:不?[小大少多低高][于於]|至[少多]|最[少多]|不足|不到|不?超[过過]|介[于於]|[大小][于於]等[于於]|最[大小](?:で(?:も)?)?|少なくとも|多くとも|高々|たかだか|せいぜい)\s?(?:是|为|為|有)?\s?${VALUE}`,
      String.raw`比\s?${VALUE}[还還要]?[大小多少高低]`,
      String.raw`${VALUE}${LISTED}[中里裡](?:任意)?[选選]`,
      String.raw`${VALUE}${tail(4)}(?:以[上下内]|未[満满])`,
      String.raw`${VALUE}${tail(3)}(?:より\s?[大小多少上下高低]|を超え|を下回)[^。、,\n]{0,3}`,
      String.raw`${VALUE}${LISTED}${tail(3)}(?:の間|之[间間]|の?どれか|の?いずれか|のうち|中的[一任某]|之一)`,
    ),
  },
];

const POSSIBILITIES: readonly { readonly has: RegExp; readonly what: RegExp }[] = [
  {
    has: /aybe|erhaps|ossibly|could|might|may /,
    what: pattern(
      String.raw`(?<![a-zA-Z])(?:[Mm]aybe|[Pp]erhaps|[Pp]ossibly|(?:could|might|may)(?:\salso)?(?:\seven)?\s(?:be|equal))(?:\s(?:it|is|that|the|answer|also|it's)){0,4}${gap}${VALUE}${LISTED}`,
      String.raw`${VALUE},?\s(?:maybe|perhaps)(?![a-z])(?!\s\d)`,
    ),
  },
  {
    has: /可能|[也或][许許]|かも/,
    what: pattern(
      String.raw`(?:可能|也[许許]|或[许許])(?:也|还|還)?(?:是|为|為|有|等于|等於)?\s?${VALUE}${LISTED}`,
      String.raw`${VALUE}${tail(6)}かも(?:しれ|知れ)(?:ない|ません)`,
    ),
  },
];

interface Denial {
  readonly start: number;
  readonly end: number;
}

/** Where a text denies something. */
function denials(text: string): Denial[] {
  return DENIALS.filter(({ has }) => has.test(text)).flatMap(({ what }) =>
    [...text.matchAll(what)].map((match) => ({ start: match.index, end: match.index + match[0].length })),
  );
}

const blank = (mark: string) => (found: string) => mark + " ".repeat(found.length - 1);

/** A text of the same length without the values that it denies, bounds or thinks possible; a mark stands for each. */
export function withoutWithdrawn(text: string): string {
  let said = text;
  for (const { has, what } of [...DENIALS, ...BOUNDS]) if (has.test(said)) said = said.replaceAll(what, blank(DENIED));
  for (const { has, what } of POSSIBILITIES) if (has.test(said)) said = said.replaceAll(what, blank(POSSIBLE));
  return said;
}

/** What a box leaves of its sentence, on either side. */
const AROUND = 80;

/** Does the sentence around a box deny what is in it? */
export function isDenied(text: string, start: number, end: number): boolean {
  const before = text
    .slice(Math.max(0, start - AROUND), start)
    .replace(/(?:\$|\\[[(]|\s){1,9}$/, " ")
    .replace(/\$/g, " ");
  const after = text
    .slice(end, end + AROUND)
    .replace(/^(?:\$|\\[\])]|\\text\s?\{|\\[ ,]|\s){1,9}/, " ")
    .replace(/\$/g, " ");
  const isEastAsian = /^\s[^\0-\x7f]/.test(after);
  const sentence = `${before}7${isEastAsian ? after.slice(1) : after}`;
  const at = before.length;
  if (denials(sentence).some((denial) => denial.start <= at && denial.end > at)) return true;
  return /^[.!?。？！]?\s{0,3}(?:(?:[Ww]ait|[Nn]o|[Hh]mm|[Aa]ctually|[Bb]ut)[,.]?\s){0,3}(?:[Tt]hat|[Tt]his|[Ii]t)(?:'s|\sis|\swas)\s(?:wrong|incorrect|not\s(?:right|correct|the\sanswer))/.test(
    after,
  );
}

/** Did the sentence, after a value, think another one possible? */
export function isOpen(sentence: string, end: number): boolean {
  return sentence.slice(end).includes(POSSIBLE);
}

const ADMITS =
  /\b(?:could(?:\snot|n't)|can(?:\s?not|'t)|unable\sto|failed\sto|did(?:\snot|n't))\s(?:finish|solve|determine|find|complete|work\s(?:it|this)\sout|tell|figure)|\b(?:do(?:\snot|n't)\sknow|not\ssure|unsure|no\sidea|give\sup|I(?:\scan\sonly)?\sguess|just\sa\sguess)\b|解けま|[わ分]か(?:りませ|らな)|不知道|不确定|无法确定|無法確定|解不出|不会做|ran\sout\sof\stime|时间不够|時間不夠|[没沒]算完|途中で|无法|無法|只算到|我?猜/i;

/** Does the last sentence say that its writer does not know? */
export function admitsIgnorance(text: string): boolean {
  const sentence = text
    .slice(-300)
    .split(/(?<=[.!?])\s|[。\n]/)
    .findLast((part) => part.trim() !== "");
  return sentence !== undefined && ADMITS.test(sentence);
}
