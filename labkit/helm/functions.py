"""The functions that a template may call, so that a misspelt one can be answered with the right one.

Go's own, Sprig's as far as Helm lets them in, and Helm's. Kept as a list because the engine does not tell.
"""

from __future__ import annotations

_NAMES = """
    and call html index slice js len not or print printf println urlquery eq ge gt le lt ne break continue
    include tpl required fail lookup toYaml fromYaml fromYamlArray toYamlPretty toJson fromJson fromJsonArray
    toToml fromToml mustToYaml mustToJson getHostByName
    abbrev abbrevboth trunc trim upper lower title untitle substr repeat trimAll trimSuffix trimPrefix nospace
    initials randAlphaNum randAlpha randAscii randNumeric swapcase shuffle snakecase camelcase kebabcase wrap
    wrapWith contains hasPrefix hasSuffix quote squote cat indent nindent replace plural sha1sum sha256sum
    sha512sum adler32sum toString atoi int64 int float64 seq toDecimal split splitList splitn toStrings until
    untilStep add1 add sub div mod mul randInt add1f addf subf divf mulf biggest max min maxf minf ceil floor
    round join sortAlpha default empty coalesce all any compact mustCompact ternary typeOf typeIs typeIsLike
    kindOf kindIs deepEqual base dir clean ext isAbs osBase osClean osDir osExt osIsAbs b64enc b64dec b32enc
    b32dec tuple list dict get set unset hasKey pluck keys pick omit merge mergeOverwrite mustMerge
    mustMergeOverwrite values append push mustAppend mustPush prepend mustPrepend first mustFirst rest mustRest
    last mustLast initial mustInitial reverse mustReverse uniq mustUniq without mustWithout has mustHas mustSlice
    concat dig chunk mustChunk bcrypt htpasswd genPrivateKey derivePassword buildCustomCert genCA genCAWithKey
    genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey encryptAES decryptAES
    randBytes uuidv4 semver semverCompare regexMatch mustRegexMatch regexFindAll mustRegexFindAll regexFind
    mustRegexFind regexReplaceAll mustRegexReplaceAll regexReplaceAllLiteral mustRegexReplaceAllLiteral
    regexSplit mustRegexSplit regexQuoteMeta urlParse urlJoin date dateInZone dateModify date_in_zone
    date_modify mustDateModify mustDate_modify htmlDate htmlDateInZone now ago duration durationRound toDate
    mustToDate unixEpoch toRawJson mustToRawJson toPrettyJson mustToPrettyJson deepCopy mustDeepCopy hello
"""

FUNCTIONS: tuple[str, ...] = tuple(_NAMES.split())
