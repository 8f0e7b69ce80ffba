/** Words that invented names are made of; a name is `predicate-noun-number`. */
const predicates =
  'able abundant adaptable agile amazing amused bald bold bright brisk calm capable careful carefree casual charming chill clean clever clumsy colorful crawling curious dapper dashing dazzling debonair defiant delicate delightful efficient enchanting exultant fearless flawless fortunate fun funny gaudy gentle gifted glamorous grandiose gregarious handsome hilarious honorable illustrious incongruous indecisive industrious intelligent inquisitive intrigued invincible judicious kindly languid learned legendary likeable loud luminous luxuriant lyrical magnificent marvelous masked melodic merciful mercurial monumental mysterious nebulous nervous nimble nosy omniscient orderly overjoyed peaceful painted persistent placid polite popular powerful puzzled rambunctious rare rebellious respected resilient righteous receptive redolent rogue rumbling salty sassy secretive selective sedate serious shivering skillful sincere skittish silent smiling sneaky sophisticated spiffy stately suave stylish tasteful thoughtful thundering traveling treasured trusting unequaled upset unique unleashed useful upbeat unruly valuable vaunted victorious welcoming whimsical wistful wise worried youthful zealous'.split(
    ' ',
  );
const nouns =
  'ant ape asp auk bass bat bear bee bird boar bug calf carp cat chimp cod colt conch cow crab crane croc crow cub deer doe dog dolphin donkey dove duck eel elk fawn finch fish flea fly foal fowl fox frog gnat gnu goat goose grouse grub gull hare hawk hen hog horse hound jay kit kite koi lamb lark loon lynx mare midge mink mole moose moth mouse mule newt owl ox panda penguin perch pig pug quail ram rat ray robin roo rook seal shad shark sheep shoat shrew shrike shrimp skink skunk sloth slug smelt snail snake snipe sow sponge squid squirrel stag steed stoat stork swan tern toad trout turtle vole wasp whale wolf worm wren yak zebra'.split(
    ' ',
  );

const charactersMax = 20;

/** A name such as `worried-eel-498`, out of 6 random bytes. At most 20 characters, as MLflow's. */
export function inventName(random: Buffer): string {
  const word = (list: readonly string[], at: number): string => list[at % list.length] ?? 'run';
  const number = random.readUInt16BE(4) % 1000;
  let name = '';
  // Words beside those that are too long together, as MLflow draws again.
  for (let turn = 0; turn < 10; turn += 1) {
    const predicate = word(predicates, random.readUInt16BE(0) + turn);
    name = `${predicate}-${word(nouns, random.readUInt16BE(2) + turn)}-${number}`;
    if (name.length <= charactersMax) return name;
  }
  return name.slice(0, charactersMax);
}

/** 32 hex digits of a version 4 UUID, out of 16 random bytes. */
export function newId(random: Buffer): string {
  const bytes = Buffer.from(random);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex');
}

/**
 * The id of the next run: 8 hex digits that count on from the newest run's, and 24 random ones. Ids
 * that grow are written side by side into the indexes; random ones would dirty a page each, and a
 * commit costs what it writes. The first 8 digits stay enough to name a run. `random` is 16 bytes.
 */
export function nextRunId(newest: string | undefined, random: Buffer): string {
  const id = newId(random);
  if (newest === undefined) return id;
  const count = (Number.parseInt(newest.slice(0, 8), 16) + 1) % 2 ** 32;
  return Number.isNaN(count) ? id : count.toString(16).padStart(8, '0') + id.slice(8);
}

/** A path below a location; a query of the location stays at the end. */
export function below(location: string, ...parts: readonly string[]): string {
  const question = location.indexOf('?');
  const path = question < 0 ? location : location.slice(0, question);
  const query = question < 0 ? '' : location.slice(question);
  return `${path.replace(/\/+$/, '')}/${parts.join('/')}${query}`;
}
