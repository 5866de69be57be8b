# What is installed where, and the two packages: `./dev package` makes a tarball for any machine
# with the libraries of Debian 12, and a .deb for these (with one of debug symbols beside it).
#
# Components: program (the binary, its manual page, completion, documents, samples), service (what
# systemd and /etc have of it), notices (what only a tarball needs to carry).

include(GNUInstallDirs)

# What the binary prints of itself, when it is installed.
set(printed ${PROJECT_BINARY_DIR}/printed)
install(CODE "
  set(rotary \"$<TARGET_FILE:rotary>\")
  set(printed \"${printed}\")
  include(\"${PROJECT_SOURCE_DIR}/cmake/print_documents.cmake\")" COMPONENT program)
install(TARGETS rotary RUNTIME COMPONENT program)
install(FILES ${printed}/rotary.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
install(FILES ${printed}/rotary.bash RENAME rotary
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
install(FILES ${printed}/rotary.zsh RENAME _rotary
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT program)
install(FILES ${printed}/rotary.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(FILES config/rotary.yaml config/REFERENCE.md
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT program)
install(DIRECTORY config/apis config/samples config/schema deploy/grafana deploy/prometheus
    deploy/haproxy deploy/nginx
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT program)
install(FILES LICENSE CHANGELOG.md deploy/package/NOTICES DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT notices)
install(FILES deploy/systemd/rotary.service deploy/package/rotary.yaml deploy/package/rotary.default
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/service COMPONENT notices)

install(FILES deploy/systemd/rotary.service DESTINATION lib/systemd/system COMPONENT service)
install(FILES deploy/package/rotary.yaml DESTINATION /etc/rotary COMPONENT service)
install(FILES deploy/package/rotary.default RENAME rotary DESTINATION /etc/default
  COMPONENT service)
install(FILES deploy/debian/copyright ${printed}/changelog.gz ${printed}/changelog.Debian.gz
  DESTINATION share/doc/rotary COMPONENT service)
install(FILES deploy/debian/lintian-overrides RENAME rotary DESTINATION share/lintian/overrides
  COMPONENT service)

set(CPACK_PACKAGE_NAME rotary)
set(CPACK_PACKAGE_VENDOR "The Rotary authors")
set(CPACK_PACKAGE_CONTACT "The Rotary maintainers <maintainers@rotary.dev>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "reverse proxy for LLM APIs with exact weighted rotation")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_SOURCE_DIR}/build/package)
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_ROTARY_MACHINE amd64)
if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(CPACK_ROTARY_MACHINE ${CMAKE_SYSTEM_PROCESSOR})
endif()
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_THREADS 0)
# What differs between the two is said there, since only then it is known which is made.
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/package_kinds.cmake)

set(ROTARY_PACKAGE_VERSION ${PROJECT_VERSION}-1)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Rotary stands between programs and the APIs of LLM providers: it checks who
calls, picks a model and a provider by exact weighted round-robin, streams the
answer back, and moves on to another entry when a quota is used up or a
provider fails.")
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_STRIP_FILES ON)  # deploy/debian/debug_symbols.sh packs what goes
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles
  ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
  ${PROJECT_SOURCE_DIR}/deploy/debian/prerm
  ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)

# The day of the last change, so that one revision makes one package.
execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} log -1 --format=%cD
  OUTPUT_VARIABLE ROTARY_DATE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT ROTARY_DATE)
  string(TIMESTAMP ROTARY_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
endif()
configure_file(CHANGELOG.md ${printed}/changelog COPYONLY)
configure_file(deploy/debian/changelog.in ${printed}/changelog.Debian @ONLY)
