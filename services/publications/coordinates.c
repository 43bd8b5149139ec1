/* GCJ-02 and BD-09. Neither is officially published; these are the formulas that have been in use since 2013 (eviltransform,
 * coordtransform), which agree with the maps' own converters to centimetres. Only the way from WGS 84 has a formula; the way
 * back is found by iteration, since the shift changes by less than 1 % of itself over its own length. */
#include "coordinates.h"

#include <math.h>

/* Krasovsky 1940, which the shift is made on. */
static const double semi_major = 6378245.0;
static const double eccentricity_squared = 0.00669342162296594323;
static const double mean_radius = 6371008.771415059; /* (2a + b) / 3 of WGS 84 */
static const double bd_angle = M_PI * 3000.0 / 180.0;

/* A millionth of a second of arc; the iterations reach it in about four steps. */
enum { STEPS_MOST = 30 };
static const double precision = 1e-10;

static const struct str names[COORD_SYSTEMS] = {
    [COORD_SYS_WGS84] = STR("WGS84"),
    [COORD_SYS_CGCS2000] = STR("CGCS2000"),
    [COORD_SYS_GCJ02] = STR("GCJ02"),
    [COORD_SYS_BD09] = STR("BD09"),
};

bool coord_sys_named(struct str name, enum coord_sys *system)
{
    for (unsigned i = 0; i < COORD_SYSTEMS; i++)
        if (str_equal(name, names[i])) {
            *system = (enum coord_sys)i;
            return true;
        }
    return false;
}

/* The rectangle in which the maps shift. */
static bool is_in_china(struct position at)
{
    return at.longitude >= 72.004 && at.longitude <= 137.8347 && at.latitude >= 0.8293 && at.latitude <= 55.8271;
}

static double shift_latitude(double x, double y)
{
    double shift = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x));
    shift += (20.0 * sin(6.0 * x * M_PI) + 20.0 * sin(2.0 * x * M_PI)) * 2.0 / 3.0;
    shift += (20.0 * sin(y * M_PI) + 40.0 * sin(y / 3.0 * M_PI)) * 2.0 / 3.0;
    return shift + (160.0 * sin(y / 12.0 * M_PI) + 320.0 * sin(y * M_PI / 30.0)) * 2.0 / 3.0;
}

static double shift_longitude(double x, double y)
{
    double shift = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x));
    shift += (20.0 * sin(6.0 * x * M_PI) + 20.0 * sin(2.0 * x * M_PI)) * 2.0 / 3.0;
    shift += (20.0 * sin(x * M_PI) + 40.0 * sin(x / 3.0 * M_PI)) * 2.0 / 3.0;
    return shift + (150.0 * sin(x / 12.0 * M_PI) + 300.0 * sin(x / 30.0 * M_PI)) * 2.0 / 3.0;
}

/* The shift is looked up at `at`, and of metres made degrees there. */
static struct position gcj02_from_wgs84(struct position at)
{
    double x = at.longitude - 105.0, y = at.latitude - 35.0;
    double latitude = at.latitude / 180.0 * M_PI;
    double flattened = 1.0 - eccentricity_squared * sin(latitude) * sin(latitude);
    double meridian = semi_major * (1.0 - eccentricity_squared) / (flattened * sqrt(flattened));
    double parallel = semi_major / sqrt(flattened) * cos(latitude);
    return (struct position){
        .latitude = at.latitude + shift_latitude(x, y) * 180.0 / (meridian * M_PI),
        .longitude = at.longitude + shift_longitude(x, y) * 180.0 / (parallel * M_PI),
    };
}

static struct position bd09_from_gcj02(struct position at)
{
    double x = at.longitude, y = at.latitude;
    double radius = sqrt(x * x + y * y) + 0.00002 * sin(y * bd_angle);
    double angle = atan2(y, x) + 0.000003 * cos(x * bd_angle);
    return (struct position){.latitude = radius * sin(angle) + 0.006, .longitude = radius * cos(angle) + 0.0065};
}

/* What `forward` turns into `wanted`. */
static struct position invert(struct position (*forward)(struct position), struct position wanted)
{
    struct position guess = wanted;
    for (int step = 0; step < STEPS_MOST; step++) {
        struct position reached = forward(guess);
        double latitude = wanted.latitude - reached.latitude, longitude = wanted.longitude - reached.longitude;
        guess.latitude += latitude;
        guess.longitude += longitude;
        if (fabs(latitude) < precision && fabs(longitude) < precision)
            break;
    }
    return guess;
}

bool position_is_valid(struct position position)
{
    return position.latitude >= -90 && position.latitude <= 90 && position.longitude >= -180 && position.longitude <= 180;
}

struct position position_to_wgs84(struct position position, enum coord_sys from)
{
    if (from <= COORD_SYS_CGCS2000 || !is_in_china(position))
        return position;
    if (from == COORD_SYS_BD09)
        position = invert(bd09_from_gcj02, position);
    return invert(gcj02_from_wgs84, position);
}

struct position position_from_wgs84(struct position position, enum coord_sys to)
{
    if (to <= COORD_SYS_CGCS2000 || !is_in_china(position))
        return position;
    position = gcj02_from_wgs84(position);
    return to == COORD_SYS_BD09 ? bd09_from_gcj02(position) : position;
}

double position_distance(struct position a, struct position b)
{
    double radians = M_PI / 180.0;
    double latitude = sin((b.latitude - a.latitude) * radians / 2), longitude = sin((b.longitude - a.longitude) * radians / 2);
    double haversine = latitude * latitude + cos(a.latitude * radians) * cos(b.latitude * radians) * longitude * longitude;
    return 2 * mean_radius * asin(fmin(1, sqrt(haversine)));
}
