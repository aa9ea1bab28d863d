"""For those who test: fakes of every port, conformance suites, a virtual clock, a private Asterisk and a SIP caller."""
