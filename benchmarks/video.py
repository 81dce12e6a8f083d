"""How much of a tag is left in a video after H.264, frame by frame and pooled over all frames.

    python benchmarks/video.py FOLDER_OF_FRAMES... [--crf 23 32 40] [--frames 25] [--rate 25] [--work DIR]

Each folder holds the frames of one clip as pictures whose names sort in order. A clip is tagged under a key of its own
(written without loss), coded by libx264 at each constant rate factor, and read again.
"""

import argparse
import json
import tempfile
from pathlib import Path

import av
import numpy as np

import faketagger
from faketagger.faces import find_faces
from faketagger.imaging import find_images, read_photo
from faketagger.imaging.video import read_frames
from faketagger.imaging.video_write import rewrite_video
from faketagger.tagger import Tagger
from faketagger.tagger.pooling import Tracks, read_tracks
from faketagger.tagger.video import _tensor

PAYLOAD = 0x00C0DE


def build(folder: Path, target: Path, frames: int, rate: int) -> None:
    """Write the first frames of a folder as a lossless video."""
    pictures = [read_photo(path).rgb8 for path in find_images(folder)[:frames]]
    with av.open(str(target), "w") as output:
        stream = output.add_stream("libx264rgb", rate=rate, options={"qp": "0"})
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "rgb24"
        for pixels in pictures:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        output.mux(stream.encode(None))


def measure(tagger: Tagger, video: Path) -> dict[str, float | int | None]:
    """Read one video whose message is known."""
    message = tagger.codec.encode(PAYLOAD).astype(bool)
    tracks, alone, found = Tracks(), [], 0
    for place, frame in enumerate(read_frames(video)):
        faces = find_faces(frame.pixels, max_faces=1)
        poses = tagger.face_logits(_tensor(frame.pixels, tagger), faces, search=False)
        tracks.follow(faces, poses, place, frame.time_s)
        for logits in poses:
            decoded = tagger.codec.decode(logits[0])
            alone.append(float(((logits[0] > 0) == message).mean()))
            found += decoded.payload is not None and decoded.payload.value == PAYLOAD
    reading = read_tracks(tracks.all, tagger.codec, 1e-6, [])
    longest = max(tracks.all, key=lambda track: track.frames)
    return {
        "kilobytes": video.stat().st_size // 1000,
        "frames_with_face": len(alone),
        "tracks": len(tracks.all),
        "bits_one_frame": float(np.mean(alone)),
        "worst_frame": float(np.min(alone)),
        "payload_one_frame": found / len(alone),
        "bits_pooled": float(((longest.sums[0] > 0) == message).mean()),
        "payload_pooled": reading.payload.hex if reading.payload else None,
        "p_value": reading.p_value,
    }


def main() -> None:
    """Measure what the command line asks for and print one JSON line a video."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--crf", nargs="+", type=float, default=[23, 32, 40])
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--rate", type=int, default=25)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        for folder in arguments.folders:
            tagger = faketagger.load("face-128", key=f"benchmark {folder.name}")
            plain, tagged = work / f"{folder.name}.mp4", work / f"{folder.name}-tagged.mp4"
            build(folder, plain, arguments.frames, arguments.rate)
            tagger.embed_video(plain, tagged, PAYLOAD, lossless=True)
            print(json.dumps({"clip": folder.name, "crf": "untagged"} | measure(tagger, plain)), flush=True)
            print(json.dumps({"clip": folder.name, "crf": "lossless"} | measure(tagger, tagged)), flush=True)
            for crf in arguments.crf:
                coded = work / f"{folder.name}-{crf:g}.mp4"
                rewrite_video(tagged, coded, lambda frame: None, crf=crf)
                print(json.dumps({"clip": folder.name, "crf": crf} | measure(tagger, coded)), flush=True)


if __name__ == "__main__":
    main()
