# Flags that every target of this project is built with, and the function that makes a room.

add_library(rotary_options INTERFACE)
target_compile_options(rotary_options INTERFACE -pthread)
target_compile_options(rotary_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside its own headers once it has inlined them.
  target_compile_options(rotary_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict
    -Wno-stringop-overflow -Wno-array-bounds)
endif()
if(ROTARY_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(rotary_options INTERFACE -Wno-tsan)  # Asio's fences, which TSan passes over
endif()
if(ROTARY_SANITIZE)
  target_compile_options(rotary_options INTERFACE -fsanitize=${ROTARY_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(rotary_options INTERFACE -fsanitize=${ROTARY_SANITIZE})
  if(ROTARY_SANITIZE MATCHES "undefined")
    # It opens a pipe to try an address, and calls the object invalid when no descriptor is left:
    # the tests of that hour failed now and then.
    target_compile_options(rotary_options INTERFACE -fno-sanitize=vptr)
  endif()
endif()
# Beast and RapidJSON assert on what a peer sends: never in a build that meets one.
target_compile_definitions(rotary_options INTERFACE
  NDEBUG
  BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED
  RAPIDJSON_HAS_STDSTRING=1)

# rotary_precompiled(TARGET OWNER HEADER): TARGET uses the precompiled HEADER that OWNER, whichever
# target asked for it first, builds. Not with the fuzzers, whose rooms differ in their flags.
function(rotary_precompiled target owner header)
  if(NOT ROTARY_PRECOMPILE OR ROTARY_FUZZ)
    return()
  endif()
  if(target STREQUAL owner)
    target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled/${header})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
  # ccache looks into what was preprocessed.
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
    "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
endfunction()

# rotary_awaits(TARGET): for targets with asio::awaitable, whose operator new calls aligned_alloc and
# whose operator delete calls free: right, but g++ 12 at -O1 takes them for a mismatch.
function(rotary_awaits target)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
endfunction()

# The list of rooms, a line "floor room" each, lowest floor first; the tidy test reads it too.
set(ROTARY_ALL_ROOMS)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/rooms.txt)
file(STRINGS ${PROJECT_SOURCE_DIR}/cmake/rooms.txt lines)
foreach(line ${lines})
  string(REGEX MATCH "^([0-9]+) ([a-z]+)$" match "${line}")
  if(NOT match)
    message(FATAL_ERROR "cmake/rooms.txt: '${line}' is not a floor and a room")
  endif()
  list(APPEND ROTARY_ALL_ROOMS ${CMAKE_MATCH_2})
  set(ROTARY_FLOOR_${CMAKE_MATCH_2} ${CMAKE_MATCH_1})
endforeach()

# rotary_room(NAME SOURCES … LINKS …): the static library rotary_NAME with its headers in
# include/rotary/NAME. It may use all rooms of lower floors; LINKS are outside libraries.
function(rotary_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS" ${ARGN})
  add_library(rotary_${name} STATIC ${ROOM_SOURCES})
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/rotary/${name}/*.hpp)
  target_sources(rotary_${name} PUBLIC FILE_SET HEADERS
    BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  target_include_directories(rotary_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  set_target_properties(rotary_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(rotary_${name} PUBLIC ${ROOM_LINKS} PRIVATE rotary_options)
  foreach(room ${ROTARY_ROOMS})
    if(ROTARY_FLOOR_${room} LESS ROTARY_FLOOR_${name})
      target_link_libraries(rotary_${name} PUBLIC rotary_${room})
    endif()
  endforeach()
  rotary_precompiled(rotary_${name} rotary_base rooms.hpp)
endfunction()
