# Debian 12's packages (see ./dev). All headers of others are SYSTEM: their warnings are not ours.

set(THREADS_PREFER_PTHREAD_FLAG ON)  # everywhere, as some packages bring it: precompiled headers care
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(libcares REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(hiredis REQUIRED hiredis)  # its headers stand in a folder of their name
find_package(CLI11 REQUIRED)
