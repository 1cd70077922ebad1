"""TLS and SASL for real: who may come in, what the others are told, and that no secret is ever said."""
import re
import unittest

from cluster import NEWEST, OLD_SCRAM, PASSWORD, USER, Cluster
from house import EX_CONFIG, EX_UNAVAILABLE, EX_USAGE, House
from test_chaos import OFTEN, PIECE

SCRAM = {"sasl.mechanism": "SCRAM-SHA-512"}


class Secure:
    """What a listener with TLS and SASL lets in is metered as anywhere."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(secure=True, release=cls.release))
        cls.house = cls.enterClassContext(House(cls.cluster, partitions=2))
        cls.meter = cls.house.meter("a", *OFTEN)

    def test_the_meter_comes_in_and_all_is_as_without(self):
        properties = self.house.properties.read_text()
        self.assertIn("security.protocol=SASL_SSL\n", properties)
        self.assertRegex(properties, f"sasl.mechanism={self.mechanism}\n")
        self.meter.start()
        self.house.feed(10 * PIECE)
        self.house.await_folded()
        self.meter.kill()
        self.meter.start()
        self.house.feed(PIECE)
        self.house.await_folded()
        self.assertEqual(0, self.meter.end(), self.meter.said())
        self.assertEqual([], self.house.differences())
        self.assertNotIn("warning", self.meter.said())

    def refused(self, code, more, *options):
        """What a meter with other properties says before it ends."""
        outsider = self.house.meter("outsider", *options)
        properties = self.cluster.write_properties(self.house.work / "outsider.properties", more)
        self.assertEqual(code, outsider.start(properties=properties).wait(), outsider.said())
        self.assertNotIn(PASSWORD, outsider.said())
        return outsider.said()

    def test_a_wrong_password(self):
        said = self.refused(EX_CONFIG, {"sasl.password": PASSWORD + "!"})
        self.assertRegex(said, "(?i)authentication.*check sasl.username(, | and )sasl.password")


class Newest(Secure, unittest.TestCase):
    """The newest broker: PLAIN is what the librdkafka of Debian 12 can."""

    release, mechanism = NEWEST, "(PLAIN|SCRAM-SHA-512)"

    def test_a_certificate_that_is_not_trusted(self):
        said = self.refused(EX_CONFIG, {"ssl.ca.location": str(self.cluster.certificates.stranger)})
        self.assertIn("check security.protocol and the certificates: ssl.ca.location", said)

    def test_no_tls_where_there_should_be(self):
        said = self.refused(EX_UNAVAILABLE, {"security.protocol": "PLAINTEXT"})
        self.assertIn("security.protocol", said)

    def test_scram_that_the_broker_refuses_from_an_old_librdkafka(self):
        if self.cluster.speaks_scram():
            self.skipTest("this librdkafka's SCRAM is a new one")
        self.assertIn("librdkafka before 2.6.1, as here, is refused by brokers since 3.7.2 with any",
                      self.refused(EX_CONFIG, SCRAM))

    def test_no_secret_is_said(self):
        """Neither on the command line, nor in a message, nor in the log of everything."""
        said = self.refused(EX_CONFIG, {"sasl.password": PASSWORD + "!"}, "-X", "debug=all")
        self.assertIn("sasl.password = [redacted]", said)
        said = self.refused(EX_USAGE, {}, "-X", f"sasl.password={PASSWORD}")
        self.assertIn("a secret is not taken from the command line", said)
        said = self.refused(EX_USAGE, {}, "-X", f"sasl.password:{PASSWORD}")
        self.assertIn("-X sasl.password: this is no name=value", said)
        talker = self.house.meter("talker", "-X", "debug=all").start()
        talker.await_saying("assigned")
        self.assertEqual(0, talker.end())
        self.assertNotIn(PASSWORD, talker.said())

    def test_a_file_that_others_can_read_is_warned_about(self):
        self.house.properties.chmod(0o644)
        open_one = self.house.meter("open").start()
        open_one.await_saying("assigned")
        open_one.end()
        self.house.properties.chmod(0o600)
        self.assertTrue(re.search("warning: .*kafka.properties holds a secret and others can read it; chmod 600",
                                  open_one.said()), open_one.said())


class Scram(Secure, unittest.TestCase):
    """A broker that still understands the SCRAM of the librdkafka of Debian 12."""

    release, mechanism = OLD_SCRAM, "SCRAM-SHA-512"

    def test_a_user_that_is_not_known(self):
        said = self.refused(EX_CONFIG, {"sasl.username": USER + "-who"})
        self.assertIn("check sasl.username", said)
