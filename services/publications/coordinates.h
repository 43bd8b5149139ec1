/* Coordinate systems of Chinese maps, converted to WGS 84. */
#ifndef SERVICES_PUBLICATIONS_COORDINATES_H
#define SERVICES_PUBLICATIONS_COORDINATES_H

#include <shimin/str.h>

/* CGCS2000 differs from WGS 84 by centimetres and is taken as the same. */
enum coord_sys { COORD_SYS_WGS84, COORD_SYS_CGCS2000, COORD_SYS_GCJ02, COORD_SYS_BD09, COORD_SYSTEMS };
MUST_CHECK bool coord_sys_named(struct str name, enum coord_sys *system); /* "WGS84", "CGCS2000", "GCJ02", "BD09" */

/* Degrees. */
struct position {
    double latitude, longitude;
};

/* On the globe, and a number. */
bool position_is_valid(struct position position);
/* To WGS 84, to well under a metre. Outside China the systems are the same, and nothing is shifted. */
struct position position_to_wgs84(struct position position, enum coord_sys from);
/* The published direction: from WGS 84. */
struct position position_from_wgs84(struct position position, enum coord_sys to);
/* Metres along a great circle of the mean sphere (6 371 008.8 m): what PostGIS' geography <-> measures as well. */
double position_distance(struct position a, struct position b);

#endif
