/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/names.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"

static const char *const adjectives[] = {
	"airy",	  "alert",  "ample",	"ardent",  "artful",   "balmy",	 "bonny",   "brisk",
	"candid", "cheery", "civil",	"cordial", "crisp",    "dapper", "deft",    "earnest",
	"fabled", "fair",   "fearless", "fluent",  "frank",    "genial", "gilded",  "glad",
	"golden", "hardy",  "hearty",	"humble",  "ideal",    "jaunty", "keen",    "lively",
	"lucid",  "mellow", "merry",	"mindful", "neat",     "nimble", "noble",   "patient",
	"placid", "plucky", "prompt",	"proud",   "quick",    "quiet",	 "radiant", "rugged",
	"sage",	  "serene", "shrewd",	"silver",  "smart",    "snug",	 "spry",    "steady",
	"stout",  "sunny",  "swift",	"tidy",	   "tranquil", "upbeat", "valiant", "vivid",
	"warm",	  "wise",   "witty",	"zesty",
};

static const char *const surnames[] = {
	"abel",	      "ampere",	  "arago",	"babbage",   "bessel",	 "bolyai",
	"boole",      "boyle",	  "brahe",	"cantor",    "cauchy",	 "celsius",
	"cassini",    "clausius", "condorcet",	"coulomb",   "dalton",	 "darcy",
	"dedekind",   "dirac",	  "doppler",	"euler",     "eudoxus",	 "fibonacci",
	"foucault",   "fourier",  "fresnel",	"galois",    "gibbs",	 "grassmann",
	"halley",     "hamilton", "heaviside",	"henry",     "herschel", "hooke",
	"hubble",     "huygens",  "joule",	"kirchhoff", "lagrange", "laplace",
	"legendre",   "leibniz",  "linnaeus",	"lorenz",    "mach",	 "minkowski",
	"moebius",    "noether",  "ohm",	"oersted",   "olbers",	 "parsons",
	"peano",      "planck",	  "poisson",	"rayleigh",  "regnault", "riemann",
	"rutherford", "shannon",  "somerville", "stokes",    "taylor",	 "thales",
	"torricelli", "venn",	  "volta",	"weyl",	     "zuse",
};

static int is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int name_check(const char *name, struct err *e)
{
	size_t n = strlen(name);
	int ok = n >= 2 && n <= NAME_MAX_LEN && is_alnum(name[0]);

	for (size_t i = 1; ok && i < n; i++)
		ok = is_alnum(name[i]) || name[i] == '_' || name[i] == '.' || name[i] == '-';
	if (ok)
		return 0;
	return err_set(
		e, ERR_INVALID,
		"Invalid container name (%.255s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
		name);
}

void name_make(int number, char ret[NAME_MADE_SIZE])
{
	const char *adjective = adjectives[random_below(ARRAY_LEN(adjectives))];
	const char *surname = surnames[random_below(ARRAY_LEN(surnames))];

	if (number > 0)
		snprintf(ret, NAME_MADE_SIZE, "%s_%s%d", adjective, surname, number);
	else
		snprintf(ret, NAME_MADE_SIZE, "%s_%s", adjective, surname);
}
