/** Types by extension. Source: Python's mimetypes, which MLflow asks; what it calls text is below. */
const types: ReadonlyMap<string, string> = new Map(
  `
application/javascript: mjs
application/manifest+json: webmanifest
application/msword: doc dot wiz
application/n-quads: nq
application/n-triples: nt
application/oda: oda
application/pdf: pdf
application/pkcs7-mime: p7c
application/postscript: ai eps ps
application/rtf: rtf
application/trig: trig
application/vnd.apple.mpegurl: m3u m3u8
application/vnd.ms-excel: xlb xls
application/vnd.ms-powerpoint: pot ppa pps ppt pwz
application/wasm: wasm
application/x-bcpio: bcpio
application/x-cpio: cpio
application/x-csh: csh
application/x-dvi: dvi
application/x-gtar: gtar
application/x-hdf: hdf
application/x-hdf5: h5
application/x-latex: latex
application/x-mif: mif
application/x-netcdf: cdf nc
application/x-pkcs12: p12 pfx
application/x-pn-realaudio: ram
application/x-python-code: pyc pyo
application/x-sh: sh
application/x-shar: shar
application/x-shockwave-flash: swf
application/x-sv4cpio: sv4cpio
application/x-sv4crc: sv4crc
application/x-tar: tar
application/x-tcl: tcl
application/x-tex: tex
application/x-texinfo: texi texinfo
application/x-troff: roff t tr
application/x-troff-man: man
application/x-troff-me: me
application/x-troff-ms: ms
application/x-ustar: ustar
application/x-wais-source: src
application/xml: rdf wsdl xpdl xsl
application/zip: zip
audio/3gpp: 3gp 3gpp
audio/3gpp2: 3g2 3gpp2
audio/aac: aac adts ass loas
audio/basic: au snd
audio/midi: mid midi
audio/mpeg: mp2 mp3
audio/opus: opus
audio/x-aiff: aif aifc aiff
audio/x-pn-realaudio: ra
audio/x-wav: wav
image/avif: avif
image/bmp: bmp
image/gif: gif
image/heic: heic
image/heif: heif
image/ief: ief
image/jpeg: jpe jpeg jpg
image/pict: pct pic pict
image/png: png
image/svg+xml: svg
image/tiff: tif tiff
image/vnd.microsoft.icon: ico
image/webp: webp
image/x-cmu-raster: ras
image/x-portable-anymap: pnm
image/x-portable-bitmap: pbm
image/x-portable-graymap: pgm
image/x-portable-pixmap: ppm
image/x-rgb: rgb
image/x-xbitmap: xbm
image/x-xpixmap: xpm
image/x-xwindowdump: xwd
message/rfc822: eml mht mhtml nws
text/css: css
text/html: htm html
text/n3: n3
text/plain: bat c h ksh pl srt
text/richtext: rtx
text/vtt: vtt
text/x-setext: etx
text/x-sgml: sgm sgml
text/x-vcard: vcf
text/xul: xul
video/mp4: mp4
video/mpeg: m1v mpa mpe mpeg mpg
video/quicktime: mov qt
video/webm: webm
video/x-msvideo: avi
video/x-sgi-movie: movie
application/javascript: js
application/json: json
text/csv: csv
text/plain: txt
text/tab-separated-values: tsv
text/x-python: py
text/xml: xml
`
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [type = '', extensions = ''] = line.split(': ');
      return extensions.split(' ').map((extension) => [extension, type] as const);
    }),
);

/** Sent as text whatever else they are. Source: mlflow/utils/mime_type_utils.py (get_text_extensions). */
const textExtensions = new Set(
  'txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json js py py3 csv tsv md rst ipynb MLmodel mlproject'.split(
    ' ',
  ),
);

const fallback = 'application/octet-stream';

/** The Content-Type that a file is sent with, by its name. Source: mlflow (_guess_mime_type). */
export function contentType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  if (textExtensions.has(dot > 0 ? name.slice(dot + 1) : name)) return 'text/plain';
  // What is inside of a compressed file counts: a.tar.gz is a tar.
  const plain = name
    .replace(/\.t(?:gz|az|z|bz2|xz)$/i, '.tar')
    .replace(/\.svgz$/i, '.svg')
    .replace(/\.(?:gz|Z|bz2|xz|br)$/, '');
  const inner = plain.lastIndexOf('.');
  return (inner > 0 ? types.get(plain.slice(inner + 1).toLowerCase()) : undefined) ?? fallback;
}

/** A name as HTTP writes it: bare where it is a token, otherwise in quotes. */
const quoted = (name: string): string =>
  /^[\w!#$%&'*+.^`|~-]+$/.test(name) ? name : `"${name.replace(/[\\"]/g, '\\$&')}"`;

/** Content-Disposition of a download. Source: RFC 6266, RFC 5987; mlflow (_content_disposition_attachment). */
export function disposition(name: string): string {
  const plain = name.normalize('NFKD').replace(/[^\x20-\x7e]/g, '');
  const start = `attachment; filename=${quoted(plain === '' ? 'download' : plain)}`;
  if (plain === name) return start;
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${start}; filename*=UTF-8''${encoded}`;
}
